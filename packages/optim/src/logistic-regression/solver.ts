/**
 * How the weights are found:
 * - `gd`: gradient descent on the logistic loss, with a step of any size
 * - `normalized-gd`: the same, with the step divided by the mean misclassification weight
 * - `perceptron`, `batch-perceptron`, `normalized-batch-perceptron`: what these become as the step grows without bound
 * - `lbfgs`: a limited-memory quasi-Newton method on the loss with an L2 penalty
 */
export type Solver = 'gd' | 'normalized-gd' | 'perceptron' | 'batch-perceptron' | 'normalized-batch-perceptron' | 'lbfgs';
