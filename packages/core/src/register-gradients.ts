/**
 * Registers TensorFlow.js' gradients, which tfjs-core alone leaves out. Import it once where a program trains without tfjs-layers or the union package.
 * @module
 */
// First: registering asks for a flag that tfjs-core itself defines.
import '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-core/dist/register_all_gradients.js';
