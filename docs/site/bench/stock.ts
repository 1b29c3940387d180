// tfjs' own wasm backend under another name. Imported first: afterwards our kernels take the place of some of tfjs'.
import '@tensorflow/tfjs-backend-wasm';
import { copyRegisteredKernels, findBackendFactory, registerBackend } from '@tensorflow/tfjs-core';

export const STOCK = 'tfjs-wasm';

copyRegisteredKernels('wasm', STOCK);
registerBackend(STOCK, findBackendFactory('wasm'), 1);
