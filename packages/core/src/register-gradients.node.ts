/**
 * Registers TensorFlow.js' gradients in Node, which cannot import the module that has them: from a bundle of it.
 * @module
 */
import './gradients.generated.js';
