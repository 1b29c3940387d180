// Layers and whole models: kernels become companded, and plain again.
import { abs, div, less, max, mean, mul, sqrt, square, tidy, type Tensor } from '@tensorflow/tfjs-core';
import type { layers, LayersModel } from '@tensorflow/tfjs-layers';
import { EvenkeelError, expect } from '@evenkeel/core';
import { CompandedLayer, configOf, type CompanderArgs } from './companded-layer.ts';
import { KINDS } from './kinds.ts';
import {
  CompandedConv1D,
  CompandedConv2D,
  CompandedConv3D,
  CompandedDense,
  CompandedDepthwiseConv2D,
  CompandedEmbedding,
} from './layers.ts';
import { copyOf, copyWeights, isModel, layersOf, rebuild } from './rebuild.ts';

type Layer = layers.Layer;
type Make = new (args: never) => CompandedLayer;

const BY_CLASS: ReadonlyMap<string, Make> = new Map<string, Make>([
  ['Conv1D', CompandedConv1D],
  ['Conv2D', CompandedConv2D],
  ['Conv3D', CompandedConv3D],
  ['DepthwiseConv2D', CompandedDepthwiseConv2D],
  ['Dense', CompandedDense],
  ['Embedding', CompandedEmbedding],
]);

export interface CompandOptions extends CompanderArgs {
  /** Which layers of a model. Default: all that are dense or convolutions, train and are not companded yet; no embeddings. */
  layers?: (layer: Layer) => boolean;
}

export interface CompandedModel {
  readonly model: LayersModel;
  /** The layers that were companded: names down to each, as in `block/conv`. */
  readonly companded: readonly string[];
}

const byDefault = (layer: Layer): boolean => layer.trainable && layer.getClassName() !== 'Embedding' && BY_CLASS.has(layer.getClassName());

/** Throws unless a layer can be companded. */
function check(layer: Layer, path: string): void {
  const fail = (found: string, expected: string): never => {
    throw new EvenkeelError('INVALID_ARGUMENT', `layer ${path} ${found}, expected ${expected}`, { op: 'compand', argument: 'layers' });
  };
  if (layer instanceof CompandedLayer) fail('is companded already', 'a plain one');
  if (!BY_CLASS.has(layer.getClassName())) fail(`is a ${layer.getClassName()}`, `one of ${[...BY_CLASS.keys()].join(', ')}`);
  if (!layer.trainable) fail('does not train', 'one that does');
}

const made = (layer: Layer, args: CompanderArgs): CompandedLayer =>
  new (BY_CLASS.get(layer.getClassName())!)({ ...configOf(layer), ...args } as never);

/**
 * A layer or a model whose kernels are made of free parameters by a function that is bounded and steep at zero: no weight can become large, and none stays long near
 * zero. A regularizer to go with weight decay, dropout and augmentation. Names, biases and all else stay as they were; so does what is given.
 *
 * By default a kernel is taken as freshly drawn, and cut to 1.04 of its deviations. For trained ones ask for `init: 'max'`: then nothing is cut and the model
 * computes what it did.
 *
 * @param target - a model, or a layer: dense, a convolution in one to three axes, depthwise, an embedding
 * @param options - of the compander, as of {@link CompandedDense}; and a function that chooses `layers` of a model
 * @returns the new layer; of a model the new model and which layers were companded
 * @throws EvenkeelError NOT_FOUND where no layer of the model is chosen; INVALID_ARGUMENT for a layer that has no such kernel, does not train or is companded already, for
 * options that are refused, and for a kernel of zeros; NON_FINITE for a kernel that is not finite. Then nothing is left behind
 *
 * @example
 * const { model, companded } = compand(classifier, { ka: 0.8, kb: 0.4 });
 */
export function compand(target: LayersModel, options?: CompandOptions): CompandedModel;
export function compand(target: Layer, options?: CompanderArgs): CompandedLayer;
export function compand(target: Layer, options: CompandOptions = {}): CompandedModel | CompandedLayer {
  const { layers: chosen = byDefault, ...args } = options;
  if (!isModel(target)) {
    check(target, target.name);
    const layer = made(target, args);
    if (!target.built) return layer;
    try {
      layer.beginWith(target);
    } catch (error) {
      layer.weights.forEach((weight) => weight.dispose());
      throw error;
    }
    return layer;
  }
  const found = new Map([...layersOf(target)].filter(([layer]) => chosen(layer)));
  if (found.size === 0) {
    const message = 'the model has no such layer, expected at least one that is dense or a convolution, and trains';
    throw new EvenkeelError('NOT_FOUND', message, { op: 'compand', argument: 'layers' });
  }
  for (const [layer, path] of found) check(layer, path);
  const model = rebuild(
    target,
    (layer) => (found.has(layer) ? made(layer, args) : copyOf(layer)),
    (from, to) => (found.has(from) ? (to as CompandedLayer).beginWith(from) : copyWeights(from, to)),
  );
  return { model, companded: [...found.values()] };
}

/**
 * A layer or a model that computes the same with tfjs-layers' own layers: their kernels are the companded ones, free parameters are gone. For inference, where the compander
 * costs nothing then. What is given stays as it was, and is the one to train.
 *
 * @throws EvenkeelError NOT_FOUND where a model has no companded layer, INVALID_ARGUMENT for a layer that is not one or has not been built
 *
 * @example
 * const small = removeCompander(trained);
 * await small.save('file://model');
 */
export function removeCompander(target: LayersModel): LayersModel;
export function removeCompander(target: Layer): Layer;
export function removeCompander(target: Layer): Layer {
  if (!isModel(target)) {
    expect(target instanceof CompandedLayer, 'removeCompander', 'target', 'a companded layer or a model that has one', target.name);
    return target.bake();
  }
  compandedLayersOf('removeCompander', target);
  return rebuild(
    target,
    (layer) => (layer instanceof CompandedLayer ? layer.plain() : copyOf(layer)),
    (from, to) => (from instanceof CompandedLayer ? from.bakeInto(to) : copyWeights(from, to)),
  );
}

/** The companded layers of a model, with the names down to each. */
export function compandedLayersOf(op: string, model: LayersModel): [CompandedLayer, string][] {
  const found = [...layersOf(model)].filter((entry): entry is [CompandedLayer, string] => entry[0] instanceof CompandedLayer);
  if (found.length > 0) return found;
  throw new EvenkeelError('NOT_FOUND', 'the model has no companded layer, expected at least one', { op, argument: 'model' });
}

/** What {@link inspectCompander} finds in a layer. Deviations are around 0, of the weights as they are now. */
export interface CompanderReport {
  /** Names down to the layer. */
  readonly layer: string;
  readonly a: number;
  readonly b: number;
  /** The largest weight in deviations. */
  readonly largest: number;
  /** Share of weights below a tenth of the deviation. */
  readonly nearZero: number;
  /** Share of weights whose slope is less than a hundredth of that at zero: they hardly move. */
  readonly saturated: number;
  /** The mean slope dw / dv: gradient descent moves weights by its square. */
  readonly slope: number;
}

/**
 * How the companded layers of a model stand: whether weights saturate, and how steep the function is where they are.
 *
 * @throws EvenkeelError as {@link removeCompander}
 *
 * @example
 * console.table(await inspectCompander(model));
 */
export async function inspectCompander(model: LayersModel): Promise<CompanderReport[]> {
  const found = compandedLayersOf('inspectCompander', model);
  return Promise.all(
    found.map(async ([layer, path]) => {
      const figures = tidy(() => {
        const { v, a, b, w } = layer.parts();
        const slope = KINDS[layer.companderKind].slope(div(v, b));
        const size = abs(w);
        const deviation = sqrt(mean(square(w)));
        return {
          a: mul(a, 1),
          b: mul(b, 1),
          largest: div(max(size), deviation),
          nearZero: mean(less(size, mul(deviation, 0.1))),
          saturated: mean(less(slope, 0.01)),
          slope: mean(mul(slope, div(a, b))),
        };
      });
      const entries = Object.entries(figures).map(async ([name, figure]: [string, Tensor]) => {
        const [value] = await figure.data();
        figure.dispose();
        return [name, value] as const;
      });
      return { layer: path, ...Object.fromEntries(await Promise.all(entries)) } as unknown as CompanderReport;
    }),
  );
}
