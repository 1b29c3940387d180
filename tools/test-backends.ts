// For tests in Node: hands all backends to core, and tfjs' gradients, so that opcheck finds them. Import it first.
import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-backend-webgpu';
import { env } from '@tensorflow/tfjs-core';
import '../packages/core/src/register-gradients.node.ts';
import { wasm } from '../packages/backend-wasm/src/index.ts';
import { webgpu } from '../packages/backend-webgpu/src/index.ts';
import { use } from '../packages/core/src/index.ts';

use([wasm(), webgpu({ allowSoftware: true })]);
// Else tfjs' small ops run on the CPU while their inputs live there, and 'webgpu' is not what is tested.
env().set('WEBGPU_CPU_FORWARD', false);

/** Names of the backends. All of them must be there, opcheck throws where one that is listed is not; but npm test says which the machine lacks. */
export const backends: readonly string[] = ['cpu', 'wasm', 'webgpu'].filter((name) => name !== process.env['EVENKEEL_WITHOUT']);
