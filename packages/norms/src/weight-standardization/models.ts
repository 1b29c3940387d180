// Whole models: convolutions become such with standardized weights, and back.
import { dispose, tidy, type Variable } from '@tensorflow/tfjs-core';
import type { layers, LayersModel } from '@tensorflow/tfjs-layers';
import { EvenkeelError } from '@evenkeel/core';
import { leavesOf } from '../replace-norm/leaves.ts';
import { copyOf, copyWeights, rebuild, type Rebuilt } from '../replace-norm/rebuild.ts';
import { WSConv1D, WSConv2D, WSConv3D, WSDense, WSDepthwiseConv2D, WSSeparableConv2D } from './layers.ts';
import { StandardizedLayer, type StandardizationArgs } from './standardized-layer.ts';

type Layer = layers.Layer;

type Make = new (args: never) => StandardizedLayer;

const BY_CLASS: ReadonlyMap<string, Make> = new Map<string, Make>([
  ['Conv1D', WSConv1D],
  ['Conv2D', WSConv2D],
  ['Conv3D', WSConv3D],
  ['DepthwiseConv2D', WSDepthwiseConv2D],
  ['SeparableConv2D', WSSeparableConv2D],
  ['Dense', WSDense],
]);

export interface StandardizeWeightsOptions extends StandardizationArgs {
  /** Which layers. Default: all convolutions that tfjs-layers has but transposed ones, and no dense layer. */
  layers?: (layer: Layer) => boolean;
}

export interface StandardizedModel {
  readonly model: LayersModel;
  /** The layers that were standardized: names down to each, as in `block/conv`. */
  readonly standardized: readonly string[];
}

const isConvolution = (layer: Layer): boolean => layer.getClassName() !== 'Dense' && BY_CLASS.has(layer.getClassName());

/** Copies the weights of all layers but those of `without`. Where that fails, nothing is left of the new model. */
function finish(leaves: ReturnType<typeof leavesOf>, rebuilt: Rebuilt, write: (from: Layer, to: Layer) => void): LayersModel {
  try {
    for (const { layer } of leaves) write(layer, rebuilt.layers.get(layer)!);
    return rebuilt.model;
  } catch (error) {
    dispose(rebuilt.model.weights.map((weight) => weight.read()));
    throw error;
  }
}

/**
 * A model whose convolutions have standardized weights. Names, arguments and weights are those of the old ones, which stay as they were; the
 * new model computes something else until it is trained, since the scale and the mean of each filter no longer count, and so wants a norm behind each of them.
 *
 * @param options - `variant`, `epsilon`, and a function that chooses `layers`
 * @throws EvenkeelError NOT_FOUND where no layer is chosen, INVALID_ARGUMENT for one that cannot be standardized, and as {@link WSConv2D}; then nothing is
 * left behind
 *
 * @example
 * const { model, standardized } = standardizeWeights(convolutional);
 */
export function standardizeWeights(model: LayersModel, options: StandardizeWeightsOptions = {}): StandardizedModel {
  const op = 'standardizeWeights';
  const { layers: chosen = isConvolution, ...args } = options;
  const leaves = leavesOf(model);
  const found = leaves.filter(({ layer }) => chosen(layer));
  if (found.length === 0) {
    throw new EvenkeelError('NOT_FOUND', 'the model has no such layer, expected at least one convolution', { op, argument: 'layers' });
  }
  const other = found.find(({ layer }) => !BY_CLASS.has(layer.getClassName()));
  if (other !== undefined) {
    const message = `layer ${other.path} is a ${other.layer.getClassName()}, expected one of ${[...BY_CLASS.keys()].join(', ')}`;
    throw new EvenkeelError('INVALID_ARGUMENT', message, { op, argument: 'layers' });
  }
  const these = new Set(found.map(({ layer }) => layer));
  const rebuilt = rebuild(model, (layer) => {
    if (!these.has(layer)) return copyOf(layer);
    return new (BY_CLASS.get(layer.getClassName())!)({ ...copyOf(layer).getConfig(), ...args } as never);
  });
  return { model: finish(leaves, rebuilt, copyWeights), standardized: found.map(({ path }) => path) };
}

/**
 * A model that computes the same with tfjs-layers' own layers in the places of those with standardized weights: their kernels are the
 * standardized ones. For inference; the old model stays as it was, and is the one to train.
 *
 * @throws EvenkeelError NOT_FOUND where the model has no such layer
 *
 * @example
 * const small = bakeWeights(trained);
 * await small.save('file://model');
 */
export function bakeWeights(model: LayersModel): LayersModel {
  const leaves = leavesOf(model);
  if (!leaves.some(({ layer }) => layer instanceof StandardizedLayer)) {
    const message = 'the model has no layer with standardized weights, expected at least one';
    throw new EvenkeelError('NOT_FOUND', message, { op: 'bakeWeights', argument: 'model' });
  }
  const rebuilt = rebuild(model, (layer) => (layer instanceof StandardizedLayer ? layer.plain() : copyOf(layer)));
  return finish(leaves, rebuilt, (from, to) => {
    if (!(from instanceof StandardizedLayer)) return copyWeights(from, to);
    tidy(() => from.bakedWeights().forEach((value, i) => (to.weights[i]!.read() as Variable).assign(value)));
  });
}
