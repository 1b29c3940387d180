/**
 * Registers TensorFlow.js' gradients in Node, which cannot import the module that has them: from a bundle of it.
 * @module
 */
// First: registering asks for a flag that tfjs-core itself defines.
import '@tensorflow/tfjs-core';
import './gradients.generated.js';
