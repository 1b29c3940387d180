// What layers remember beside their weights, and how that of several replicas becomes one. A norm with running state is added with a line here.

/** How a weight of all replicas becomes one; `start` is its value before training. */
export interface Rule {
  /**
   * 'mean': the mean of all. 'variance': the variance of all data together, of variances about the means in the weight `around`.
   * 'equal': all must have the same. 'most': the largest.
   */
  readonly merge: 'mean' | 'variance' | 'equal' | 'most';
  readonly around?: string;
  /** undefined: reset does not touch it. */
  readonly start: 0 | 1 | undefined;
}

const mean = (start: 0 | 1 | undefined): Rule => ({ merge: 'mean', start });
const equal = (start: 0 | undefined): Rule => ({ merge: 'equal', start });
const most: Rule = { merge: 'most', start: 0 };

/** By class of the layer, then by name of the weight. */
export const RULES: Readonly<Record<string, Readonly<Record<string, Rule>>>> = {
  BatchNormalization: { moving_mean: mean(0), moving_variance: { merge: 'variance', around: 'moving_mean', start: 1 } },
  BatchChannelNormalization: { moving_mean: mean(0), moving_variance: mean(1), iterations: equal(0) },
  EstimatedBatchNormalization: { moving_mean: mean(0), moving_variance: mean(1), iterations: equal(0) },
  EvoNormalization: { moving_variance: mean(1) },
  L1BatchNormalization: { moving_mean: mean(0), moving_deviation: mean(1) },
  PowerNormalization: { running_phi: mean(1), ema_gz: mean(0), iterations: equal(0) },
  UnifiedNormalization: {
    running_var: mean(1),
    ema_gz: mean(0),
    squares: mean(0),
    gradients: mean(0),
    skipped: most,
    iterations: equal(0),
  },
  UnMixTNS: {
    moving_mean: equal(undefined),
    moving_variance: equal(undefined),
    // Taken back to the statistics of training by the layer itself.
    component_means: mean(undefined),
    component_variances: mean(undefined),
    skipped: most,
  },
};
