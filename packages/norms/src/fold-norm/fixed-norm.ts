// Norms that in inference are a scale and a shift for each channel, and those that end with one.
import type { layers } from '@tensorflow/tfjs-layers';
import { deviationFactor } from '../l1.ts';
import { shortName } from '../replace-norm/leaves.ts';
import type { Affine } from './linear-layer.ts';

/** What a norm does in inference: y = scale x + shift, by channel. */
export interface FixedNorm {
  /** The channel axis, negative counted from the end. */
  readonly axis: number;
  /** [channels] */
  readonly scale: ArrayLike<number>;
  /** [channels] */
  readonly shift: ArrayLike<number>;
}

type Config = Readonly<Record<string, unknown>>;
type Weights = ReadonlyMap<string, Float64Array>;

/** What is subtracted from a channel in inference, and what it is divided by, before gamma and beta. */
interface Statistics {
  readonly mean?: Float64Array | undefined;
  readonly divisor?: Float64Array | undefined;
}

/** Roots of squares, with epsilon as the layer has it. */
const roots = (squares: Float64Array, { epsilon }: Config): Float64Array => squares.map((value) => Math.sqrt(value + Number(epsilon)));

/** The fixed statistics of each class of norm; undefined where a configuration has none. */
const FIXED: Readonly<Record<string, (weights: Weights, config: Config) => Statistics | undefined>> = {
  BatchNormalization: (weights, config) => ({
    mean: weights.get('moving_mean'),
    divisor: roots(weights.get('moving_variance')!, config),
  }),
  L1BatchNormalization: (weights, { epsilon, gaussianScale }) => ({
    mean: weights.get('moving_mean'),
    divisor: weights.get('moving_deviation')!.map((value) => value * deviationFactor(gaussianScale === true) + Number(epsilon)),
  }),
  UnifiedNormalization: (weights, config) => ({ divisor: roots(weights.get('running_var')!, config) }),
  // With groups it divides by a root mean square of the input, too.
  PowerNormalization: (weights, config) => (config['groups'] === 0 ? { divisor: roots(weights.get('running_phi')!, config) } : undefined),
  EvoNormalization: (_, { nonlinearity }) => (nonlinearity === false ? {} : undefined),
};

/** Norms whose statistics are those of their input, but that end with a gamma and a beta for each channel. */
const GAINS = new Set([
  'GroupNormalization',
  'InstanceNormalization',
  'L1LayerNormalization',
  'LayerNormalization',
  'PowerNormalization',
  'RMSNormalization',
]);

/** Whether a layer is a norm, as far as its class says. */
export function isNorm(layer: layers.Layer): boolean {
  return layer.getClassName().endsWith('Normalization');
}

async function weightsOf(layer: layers.Layer): Promise<Map<string, Float64Array>> {
  const weights = new Map<string, Float64Array>();
  for (const weight of layer.weights) {
    const name = shortName(weight);
    // Keras' name for the gamma of RMS norm.
    weights.set(name === 'scale' ? 'gamma' : name, Float64Array.from(await weight.read().data()));
  }
  return weights;
}

/** The only axis of a norm; undefined where it has several. */
function axisOf({ axis = -1 }: { axis?: number | number[] }): number | undefined {
  const axes = Array.isArray(axis) ? axis : [axis];
  return axes.length === 1 ? axes[0] : undefined;
}

/** What a norm does in inference; undefined where that depends on its input. */
export async function fixedNormOf(layer: layers.Layer): Promise<FixedNorm | undefined> {
  const statisticsOf = FIXED[layer.getClassName()];
  if (!statisticsOf) return undefined;
  const [weights, config] = [await weightsOf(layer), layer.getConfig()];
  const statistics = statisticsOf(weights, config);
  const axis = axisOf(config);
  if (!statistics || axis === undefined) return undefined;
  const { mean, divisor } = statistics;
  const [gamma, beta] = [weights.get('gamma'), weights.get('beta')];
  const some = gamma ?? beta ?? divisor;
  if (!some) return undefined;
  const scale = some.map((_, channel) => (gamma?.[channel] ?? 1) / (divisor?.[channel] ?? 1));
  return { axis, scale, shift: scale.map((factor, channel) => (beta?.[channel] ?? 0) - (mean?.[channel] ?? 0) * factor) };
}

/** The gamma and beta that a norm ends with; undefined where it has none, or not one for each channel. */
export async function gainsOf(layer: layers.Layer): Promise<FixedNorm | undefined> {
  const axis = axisOf(layer.getConfig());
  if (!GAINS.has(layer.getClassName()) || axis === undefined) return undefined;
  const weights = await weightsOf(layer);
  const [gamma, beta] = [weights.get('gamma'), weights.get('beta')];
  const some = gamma ?? beta;
  if (!some) return undefined;
  return { axis, scale: gamma ?? some.map(() => 1), shift: beta ?? some.map(() => 0) };
}

/** In float64, with the axis counted from the start. */
export function affineOf({ axis, scale, shift }: FixedNorm, rank: number): Affine & { axis: number } {
  return { axis: axis < 0 ? axis + rank : axis, scale: Float64Array.from(scale), shift: Float64Array.from(shift) };
}
