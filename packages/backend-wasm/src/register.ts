// One line for a program that knows nothing else of Evenkeel: import '@evenkeel/backend-wasm/register'; await tf.setBackend('wasm').
import '@tensorflow/tfjs-backend-wasm';
import { use } from '@evenkeel/core';
import { wasm } from './plugin.ts';

use(wasm());
