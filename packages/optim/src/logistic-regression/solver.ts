/**
 * How the weights are found:
 * - `gd`: gradient descent on the logistic loss, with a step of any size
 * - `normalized-gd`: the same, with the step divided by the mean misclassification weight
 * - `perceptron`, `batch-perceptron`, `normalized-batch-perceptron`: what these become as the step grows without bound
 * - `lbfgs`: a limited-memory quasi-Newton method on the loss with an L2 penalty
 */
export type Solver = 'gd' | 'normalized-gd' | 'perceptron' | 'batch-perceptron' | 'normalized-batch-perceptron' | 'lbfgs';

export const SOLVERS: readonly Solver[] = ['gd', 'normalized-gd', 'perceptron', 'batch-perceptron', 'normalized-batch-perceptron', 'lbfgs'];

/**
 * What a sample counts in a step: `logistic`, 1 / (1 + exp(margin)), or `misclassified`, 1 where its margin is 0 or less and else 0.
 */
export type SampleWeights = 'logistic' | 'misclassified';

export interface MarginSumsOptions {
  /** Default 'logistic'. */
  weights?: SampleWeights;
}
