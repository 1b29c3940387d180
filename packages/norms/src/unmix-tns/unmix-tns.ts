import {
  add,
  broadcastTo,
  clone,
  div,
  expandDims,
  greater,
  keep,
  mean,
  min,
  minimum,
  mul,
  scalar,
  slice,
  sqrt,
  square,
  sub,
  tidy,
  where,
  type Tensor,
} from '@tensorflow/tfjs-core';
import { EvenkeelError, expect, raiseIf, randomNormal, type RandomSource } from '@evenkeel/core';
import { checkShape } from '../checks.ts';
import { UnMixNorm } from './op.ts';

/** Several sets of statistics of a layer: {@link unMixTNSState} makes the first from those of training. */
export interface UnMixTNSState {
  /** [components, channels] */
  means: Tensor;
  /** [components, channels] */
  variances: Tensor;
}

export interface UnMixTNSStateOptions {
  /** How many sets there are. Default 16; the authors take 128 for streams of mixed domains, and a short stream needs 4 to 8. */
  components?: number;
  /** The share of the variance that lies between the components at the start, in [0, 1]. Default 0.5. A single component has none. */
  alpha?: number;
  /** 'random' is the official start; 'centered' (default) makes the components' mixture that of training exactly. */
  init?: 'random' | 'centered';
  /** Of the noise; a seed, or a sequence whose next numbers are taken. Default 0. */
  seed?: RandomSource;
  /** [components, channels] in place of random numbers. */
  noise?: Tensor | undefined;
}

export interface UnMixTNSOptions {
  /** Added to the variance, inside the root. Default 1e-3, as in Keras; PyTorch has 1e-5. */
  epsilon?: number;
  /** Of the softmax over components; smaller: nearer to one component an image. Default 0.07. */
  temperature?: number;
  /** The share of the components that a full batch keeps, in [0, 1). Default 0.9, which is 0.1 in PyTorch. */
  momentum?: number;
  /** How many images a batch has, for the momentum. Default: as many as x has. */
  batchSize?: number | undefined;
  /** How many images a full batch has. Default 64. */
  maxBatchSize?: number;
  /** Whether a mixture's variance has its part between the two means, too. Left out by the official code. Default false. */
  exactMixtureVariance?: boolean;
  /** NaN or infinity in an image: 'skip' (default) lets only the others move the state and counts it, 'throw' moves nothing. */
  onNonFinite?: 'throw' | 'skip';
}

export interface UnMixTNSResult extends UnMixTNSState {
  /** Of x's shape. */
  y: Tensor;
  /** How much of each component an image has, [batch, components]; rows of sum 1. */
  assignment: Tensor;
  /** How many images were skipped, [1]. */
  skipped: Tensor;
}

/** The options with their defaults. */
export function completeUnMixTNS(options: UnMixTNSOptions): Required<Omit<UnMixTNSOptions, 'batchSize'>> {
  const { epsilon = 1e-3, temperature = 0.07, momentum = 0.9, maxBatchSize = 64, exactMixtureVariance = false } = options;
  return { epsilon, temperature, momentum, maxBatchSize, exactMixtureVariance, onNonFinite: options.onNonFinite ?? 'skip' };
}

/** Throws unless the options are such that {@link unMixTNS} takes them. */
export function checkUnMixTNS(op: string, options: UnMixTNSOptions): void {
  const { temperature, momentum, maxBatchSize, onNonFinite } = completeUnMixTNS(options);
  const { batchSize } = options;
  expect(Number.isFinite(temperature) && temperature > 0, op, 'temperature', 'a finite number > 0', temperature);
  expect(momentum >= 0 && momentum < 1, op, 'momentum', 'a number in [0, 1)', momentum);
  expect(batchSize === undefined || (Number.isInteger(batchSize) && batchSize >= 1), op, 'batchSize', 'an integer >= 1', batchSize);
  expect(Number.isInteger(maxBatchSize) && maxBatchSize >= 1, op, 'maxBatchSize', 'an integer >= 1', maxBatchSize);
  expect(['throw', 'skip'].includes(onNonFinite), op, 'onNonFinite', "'throw' or 'skip'", onNonFinite);
}

/** Throws unless the options are such that {@link unMixTNSState} takes them. */
export function checkUnMixTNSState(op: string, { components = 16, alpha = 0.5, init = 'centered' }: UnMixTNSStateOptions): void {
  expect(Number.isInteger(components) && components >= 1, op, 'components', 'an integer >= 1', components);
  expect(alpha >= 0 && alpha <= 1, op, 'alpha', 'a number in [0, 1]', alpha);
  expect(['random', 'centered'].includes(init), op, 'init', "'random' or 'centered'", init);
}

/**
 * The components before the first batch, from the moving statistics of training: means = mean + sqrt(variance) noise, where the mean square
 * of the noise is alpha, and variances = (1 - alpha) variance. 'random' draws noise with that variance, alpha K / (K - 1) before the mean is
 * taken off; 'centered' takes off its mean over the components and rescales it, channel by channel, so that mean and variance of the whole
 * mixture are those of training: a network starts as it was trained. A single component is mean and variance themselves.
 *
 * @param mean0 - their mean, [channels]
 * @param variance0 - their variance, [channels], nowhere negative
 * @returns new tensors `means` and `variances` [components, channels]
 * @throws EvenkeelError SHAPE when mean, variance and noise do not fit each other, INVALID_ARGUMENT for options out of range
 *
 * Source: Tomar, Vray, Thiran, Bozorgtabar 2024, "Un-Mixing Test-Time Normalization Statistics", equation 10; its official code, which draws noise for each channel.
 *
 * @example
 * const state = unMixTNSState(tf.zeros([8]), tf.ones([8]), { components: 4, seed: 1 }); // two tensors [4, 8]
 */
export function unMixTNSState(mean0: Tensor, variance0: Tensor, options: UnMixTNSStateOptions = {}): UnMixTNSState {
  const op = 'unMixTNSState';
  checkUnMixTNSState(op, options);
  const { components = 16, alpha = 0.5, init = 'centered', seed = 0, noise } = options;
  if (mean0.rank !== 1) {
    throw new EvenkeelError('SHAPE', `mean has shape [${mean0.shape.join(', ')}], expected [channels]`, { op, argument: 'mean' });
  }
  checkShape(op, 'variance', variance0, mean0.shape, 'as mean');
  const shape = [components, mean0.shape[0]!];
  checkShape(op, 'noise', noise, shape, 'components and channels');
  return tidy(() => {
    const whole = (row: Tensor): Tensor => clone(broadcastTo(expandDims(row, 0), shape));
    if (components === 1) return { means: whole(mean0), variances: whole(variance0) };
    const drawn = noise ?? randomNormal(shape, seed);
    const spread =
      init === 'random' ? mul(drawn, Math.sqrt((alpha * components) / (components - 1))) : mul(standardized(drawn), Math.sqrt(alpha));
    return { means: add(mean0, mul(sqrt(variance0), spread)), variances: whole(mul(variance0, 1 - alpha)) };
  });
}

/** Columns of mean 0 and mean square 1; a column of equal numbers is all 0. */
function standardized(columns: Tensor): Tensor {
  const centred = sub(columns, mean(columns, 0));
  const spread = sqrt(mean(square(centred), 0));
  return div(centred, where(greater(spread, 0), spread, 1));
}

/**
 * UnMix-TNS: batch normalization for inference on data that differ from those of training and come in an order, such as frames of a video or
 * one person's pictures. K sets of statistics stand in the place of one. Each image is assigned to them softly, p = softmax(cosine(its mean,
 * the component's) / temperature), and mixed with each: m = (1 - p) mean + p its own, v likewise. It is normalized by the mean of these K
 * mixtures, y = gamma (x - mean of m) / sqrt(mean of v + variance of m + epsilon) + beta, so that 1 / K of its mean is its own.
 * Then each component moves by the mean over the batch of p (own - component), times 1 - momentum^(batchSize / maxBatchSize).
 *
 * Gradients go to x, gamma and beta, with p and the state for constants. There is no training mode: each call moves the state; who does not
 * keep the next one has frozen it. Components that come close to each other do the work of one.
 *
 * A batch of one image is fine, and so is a map of one pixel, whose variance is 0. An image of zeros belongs to all components alike. NaN
 * stays in its image. Statistics are float32, in two passes: a mean of 1e4 with a deviation of 1 is right to 5e-3. An empty batch moves nothing.
 *
 * @param x - [batch, ...spatial, channels] float32, rank >= 3. For rank 2, the authors take {@link batchNormInference} with the statistics of training.
 * @param gamma - [channels]; undefined: 1
 * @param beta - [channels]; undefined: 0
 * @param state - as the last batch left it; stays as it was
 * @returns `y`, `means` and `variances` of the next state, `assignment` and `skipped`: new tensors
 * @throws EvenkeelError SHAPE, DTYPE, INVALID_ARGUMENT for options out of range, NON_FINITE with `onNonFinite: 'throw'`, at the next `await data()` on webgpu
 *
 * Source: Tomar, Vray, Thiran, Bozorgtabar 2024, "Un-Mixing Test-Time Normalization Statistics: Combatting Label Temporal Correlation",
 * equations 4 to 9; momentum, and what is left out of the variance, from its official code.
 *
 * @example
 * let state = unMixTNSState(movingMean, movingVariance, { components: 8 });
 * const { y, means, variances } = unMixTNS(x, gamma, beta, state);
 * state = { means, variances };
 */
export function unMixTNS(
  x: Tensor,
  gamma: Tensor | undefined,
  beta: Tensor | undefined,
  { means, variances }: UnMixTNSState,
  options: UnMixTNSOptions = {},
): UnMixTNSResult {
  const op = 'unMixTNS';
  checkUnMixTNS(op, options);
  const { epsilon, temperature, momentum, maxBatchSize, exactMixtureVariance, onNonFinite } = completeUnMixTNS(options);
  const images = x?.shape[0] ?? 0;
  const kept = momentum ** ((options.batchSize ?? images) / maxBatchSize);
  return tidy(() => {
    const attrs = { epsilon, temperature, momentum: kept, exactMixtureVariance };
    const { y, meansStep, variancesStep, assignment, skipped } = UnMixNorm({ x, means, variances, gamma, beta }, attrs);
    const next = { means: add(means, meansStep), variances: add(variances, variancesStep) };
    if (onNonFinite === 'skip') return { y, ...next, assignment, skipped };
    const bad = greater(skipped, 0);
    const message = 'x has images with NaN or infinite statistics, expected finite ones; the state is as it was';
    // Kept: on webgpu it is read after the tidy has ended. raiseIf disposes it.
    raiseIf(keep(clone(bad)), new EvenkeelError('NON_FINITE', message, { op, argument: 'x' }));
    return { y, means: where(bad, means, next.means), variances: where(bad, variances, next.variances), assignment, skipped };
  });
}

/**
 * How near the two nearest components are to each other: the root of the mean over channels of the squared difference of their means, in
 * deviations of training. Where it goes to 0 on a long stream, components have merged.
 *
 * @param means - [components, channels]
 * @param variance - of training, [channels]
 * @returns a scalar; infinity for a single component
 * @throws EvenkeelError SHAPE when the two do not fit each other
 *
 * @example
 * const [distance] = await smallestDistance(state.means, movingVariance).data();
 */
export function smallestDistance(means: Tensor, variance: Tensor): Tensor {
  checkShape('smallestDistance', 'variance', variance, means.shape.slice(1), 'as means without components');
  return tidy(() => {
    const scaled = div(means, sqrt(where(greater(variance, 0), variance, 1)));
    let nearest: Tensor = scalar(Infinity);
    // A component at a time: all pairs at once could be large.
    for (let k = 1; k < means.shape[0]!; k++) {
      const apart = sub(slice(scaled, [k, 0]), slice(scaled, [k - 1, 0], [1, -1]));
      nearest = minimum(nearest, min(mean(square(apart), -1)));
    }
    return sqrt(nearest);
  });
}
