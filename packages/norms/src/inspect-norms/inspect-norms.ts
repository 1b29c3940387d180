import {
  clone,
  dispose,
  keep,
  sum,
  tidy,
  variable,
  variableGrads,
  type NamedTensorMap,
  type Scalar,
  type Tensor,
  type Variable,
} from '@tensorflow/tfjs-core';
import type { layers, LayersModel } from '@tensorflow/tfjs-layers';
import { EvenkeelError, expect } from '@evenkeel/core';
import { isNorm } from '../fold-norm/fixed-norm.ts';
import type { Kwargs } from '../keras.ts';
import { leavesOf, shortName } from '../replace-norm/leaves.ts';
import { probe, type Passage } from './probe.ts';
import { statisticsOf, type StatisticsOptions, type TensorStatistics } from './statistics.ts';

export interface InspectNormsOptions {
  /** Of what the model computes from the batch, a scalar: then gradients are inspected, too. */
  loss?: (output: Tensor | Tensor[]) => Tensor;
  /** Whether layers run as in training; their state is put back afterwards. Default: where there is a loss. */
  training?: boolean;
  /** Which layers. Default: all whose class ends with 'Normalization'. */
  layers?: (layer: layers.Layer) => boolean;
  /** Further from the mean than so many standard deviations a value is an outlier. Default 6. */
  outlierDeviations?: number;
  /** How many positions enter the effective rank, which it cannot exceed. Default 256. */
  samples?: number;
}

/** Lengths (L2) of the loss' gradients. */
export interface GradientNorms {
  /** By the layer's input; undefined where no gradient comes there. */
  readonly input: number | undefined;
  readonly output: number | undefined;
  /** By the layer's weights, over all its calls. Frozen ones have none. */
  readonly weights: Readonly<Record<string, number>>;
}

/** One call of a layer. */
export interface NormInspection {
  /** Names of the models around it, without that of the whole, and its own: 'base/bn1'. */
  readonly layer: string;
  readonly className: string;
  /** Counts the calls of a layer that is used more than once, from 0. */
  readonly call: number;
  readonly input: TensorStatistics;
  readonly output: TensorStatistics;
  /** Where a loss is given. */
  readonly gradients?: GradientNorms;
}

export interface NormsReport {
  readonly training: boolean;
  /** Where one is given. */
  readonly loss?: number;
  /** In the order in which the model calls them. */
  readonly norms: readonly NormInspection[];
}

const op = 'inspectNorms';

/** Remembers the weights of a model, and gives back those that have moved. */
function snapshot(model: LayersModel): () => void {
  const saved = model.weights.map((weight) => ({ weight: weight.read() as Variable, value: keep(clone(weight.read())) }));
  return () => {
    for (const { weight, value } of saved) {
      if (weight.dataId !== value.dataId) weight.assign(value);
      value.dispose();
    }
  };
}

async function lengthOf(gradient: Tensor | undefined): Promise<number | undefined> {
  if (!gradient) return undefined;
  const values = await gradient.data();
  let squares = 0;
  for (const value of values) squares += value * value;
  return Math.sqrt(squares);
}

/** The axis of a layer's channels: its own where it has one, else the last. */
function channelAxis(layer: layers.Layer, rank: number): number {
  const { axis } = layer.getConfig();
  const [only = -1, ...others] = Array.isArray(axis) ? (axis as number[]) : [axis as number | undefined];
  if (others.length > 0) return rank - 1;
  return only < 0 ? only + rank : only;
}

/** A forward pass, and a backward pass where there is a loss: its value, and the gradients of the layers' weights by variable. */
function run(
  model: LayersModel,
  batch: Tensor[],
  observed: readonly layers.Layer[],
  training: boolean,
  loss: InspectNormsOptions['loss'],
): { value: Tensor | undefined; gradients: NamedTensorMap } {
  const apply = (inputs: Tensor[]): Tensor | Tensor[] =>
    model.apply(inputs.length === 1 ? inputs[0]! : inputs, { training } as Kwargs) as Tensor | Tensor[];
  if (!loss) {
    tidy(() => {
      apply(batch);
    });
    return { value: undefined, gradients: {} };
  }
  // As variables, inputs let gradients come to layers before which nothing learns.
  const inputs = batch.map((tensor) => (tensor.dtype === 'float32' ? variable(tensor) : tensor));
  const roots = inputs.filter((_, i) => inputs[i] !== batch[i]) as Variable[];
  try {
    const weights = (roots.length > 0 ? observed : [model])
      .flatMap((layer) => layer.trainableWeights)
      .map((weight) => weight.read() as Variable);
    const of = [...new Set([...roots, ...weights])];
    expect(of.length > 0, op, 'model', 'a model with floating-point inputs or with weights that train, for gradients', model.name);
    // What is thrown within variableGrads leaves tensors behind: errors wait until it is through.
    let error: unknown;
    const { value, grads } = variableGrads(() => {
      const output = apply(inputs);
      try {
        const found = loss(output);
        if (found.rank === 0) return found as Scalar;
        error = new EvenkeelError('SHAPE', `loss has shape [${found.shape.join(', ')}], expected a scalar`, { op, argument: 'loss' });
      } catch (thrown) {
        error = thrown;
      }
      return sum([output].flat()[0]!) as Scalar;
    }, of);
    if (error !== undefined) {
      dispose([value, ...Object.values(grads)]);
      throw error;
    }
    for (const root of roots) grads[root.name]?.dispose();
    return { value, gradients: Object.fromEntries(Object.entries(grads).filter(([name]) => !roots.some((root) => root.name === name))) };
  } finally {
    dispose(roots);
  }
}

/**
 * What passes the norms of a model, on one batch: mean, variance, outliers, dead channels and effective rank of their inputs and outputs, in
 * the order of the model, models inside of it and layers used twice included; with a loss, how long the gradients are before and behind
 * each, and by its weights. Read from the first layer to the last it says where numbers grow, where channels die, where all samples become
 * alike, and where gradients vanish: why a training is unstable.
 *
 * The model stays as it was: its state is put back, and no tensor is left. Of a layer with several inputs the first is inspected.
 *
 * @param batch - a tensor for each input of the model
 * @throws EvenkeelError NOT_FOUND for a model without such layers, SHAPE for a loss that is no scalar, INVALID_ARGUMENT for options out of
 * range
 *
 * @example
 * const { norms } = await inspectNorms(model, images, { loss: (y) => tf.losses.softmaxCrossEntropy(labels, y) });
 * norms[0].output.deadChannels; // [] where all is well
 */
export async function inspectNorms(model: LayersModel, batch: Tensor | Tensor[], options: InspectNormsOptions = {}): Promise<NormsReport> {
  const { loss, training = loss !== undefined, layers: chosen = isNorm, outlierDeviations = 6, samples = 256 } = options;
  expect(outlierDeviations > 0, op, 'outlierDeviations', 'a number > 0', outlierDeviations);
  expect(Number.isInteger(samples) && samples > 0, op, 'samples', 'an integer > 0', samples);
  const paths = new Map(leavesOf(model).map(({ layer, path }) => [layer, path]));
  const observed = [...paths.keys()].filter(chosen);
  if (observed.length === 0) throw new EvenkeelError('NOT_FOUND', 'the model has no such layer', { op, argument: 'layers' });
  const restore = snapshot(model);
  const listening = probe(observed, loss !== undefined);
  let found: ReturnType<typeof run> | undefined;
  try {
    try {
      found = run(model, [batch].flat(), observed, training, loss);
    } finally {
      listening.remove();
      restore();
    }
    const norms: NormInspection[] = [];
    const calls = new Map<layers.Layer, number>();
    for (const passage of listening.passages) {
      const call = calls.get(passage.layer) ?? 0;
      calls.set(passage.layer, call + 1);
      norms.push({
        layer: paths.get(passage.layer)!,
        className: passage.layer.getClassName(),
        call,
        ...(await statistics(passage, { outlierDeviations, samples })),
        ...(loss && { gradients: await gradientNorms(passage, found.gradients) }),
      });
    }
    return { training, norms, ...(found.value && { loss: (await found.value.data())[0]! }) };
  } finally {
    listening.dispose();
    dispose([...(found?.value ? [found.value] : []), ...Object.values(found?.gradients ?? {})]);
  }
}

async function statistics(
  { layer, input, output }: Passage,
  options: StatisticsOptions,
): Promise<Pick<NormInspection, 'input' | 'output'>> {
  const of = async (tensor: Tensor): Promise<TensorStatistics> =>
    statisticsOf(await tensor.data(), tensor.shape, channelAxis(layer, tensor.rank), options);
  return { input: await of(input), output: await of(output) };
}

async function gradientNorms({ layer, inputGradient, outputGradient }: Passage, gradients: NamedTensorMap): Promise<GradientNorms> {
  const weights: Record<string, number> = {};
  for (const weight of layer.trainableWeights) {
    const length = await lengthOf(gradients[(weight.read() as Variable).name]);
    if (length !== undefined) weights[shortName(weight)] = length;
  }
  return { input: await lengthOf(inputGradient), output: await lengthOf(outputGradient), weights };
}
