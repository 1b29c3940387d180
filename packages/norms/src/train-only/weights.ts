// The weights of a model that training can move, in the groups that are frozen together.
import { type Tensor, type Variable } from '@tensorflow/tfjs-core';
import type { layers, LayersModel } from '@tensorflow/tfjs-layers';
import { normNameOf } from '../create-norm/table.ts';
import type { LayerVariable } from '../keras.ts';
import { leavesOf, shortName, type Leaf } from '../replace-norm/leaves.ts';

/**
 * 'norms': gamma, beta and what else norms learn. 'output': the weights of the last dense layer. 'others': all the rest, the dense layers
 * before it included.
 */
export type WeightGroup = 'norms' | 'output' | 'others';

/** A weight of a model that training can move. Running statistics are none: they move whatever is trained. */
export interface ModelWeight {
  /** Names of the layers down to it, and its own: 'block/conv/kernel'. */
  readonly name: string;
  readonly group: WeightGroup;
  readonly layer: layers.Layer;
  readonly variable: LayerVariable;
}

/** Everything that a layer has learned or keeps, whether it is frozen or not: `learned` in the order in which it was made. */
export interface LeafWeights {
  readonly learned: readonly LayerVariable[];
  readonly state: readonly LayerVariable[];
}

/** What layers have while a part of them is frozen. */
const whole = new WeakMap<layers.Layer, LeafWeights>();

/** A layer's two lists as they stand. tfjs-layers does not show them while something is frozen: they are read while nothing is. */
function listsOf(layer: layers.Layer): LeafWeights {
  const { trainable } = layer;
  const flags = new Map(layer.weights.map((variable) => [variable, variable.trainable]));
  layer.trainable = true;
  const [learned, state] = [[...layer.trainableWeights], [...layer.nonTrainableWeights]];
  layer.trainable = trainable;
  for (const [variable, flag] of flags) variable.trainable = flag;
  return { learned, state };
}

/** What a layer has, whether a part of it is frozen or not. */
export function weightsOfLeaf(layer: layers.Layer): LeafWeights {
  return whole.get(layer) ?? listsOf(layer);
}

/**
 * Lets only some of a layer's weights train, by its lists: a sequential model makes trainable what is in the first one whenever it is
 * built, and compiling builds it. What is returned puts the lists back.
 */
export function limitTo(layer: layers.Layer, trained: ReadonlySet<LayerVariable>): () => void {
  const before = listsOf(layer);
  const all = weightsOfLeaf(layer);
  const first = !whole.has(layer);
  const set = (learned: readonly LayerVariable[], state: readonly LayerVariable[]): void => {
    layer.trainableWeights = [...learned];
    layer.nonTrainableWeights = [...state];
  };
  whole.set(layer, all);
  set(
    all.learned.filter((variable) => trained.has(variable)),
    [...all.learned.filter((variable) => !trained.has(variable)), ...all.state],
  );
  return () => {
    set(before.learned, before.state);
    if (first) whole.delete(layer);
  };
}

/** The layers of a model that hold weights, and which of them is its output. */
export function leavesAndOutput(model: LayersModel): { leaves: Leaf[]; output: layers.Layer | undefined } {
  const leaves = leavesOf(model);
  return { leaves, output: leaves.findLast(({ layer }) => layer.getClassName() === 'Dense')?.layer };
}

export function groupOf(layer: layers.Layer, output: layers.Layer | undefined): WeightGroup {
  return normNameOf(layer) !== undefined ? 'norms' : layer === output ? 'output' : 'others';
}

/** The norm layers of a model, wherever they are, each once, with their places. */
export function normsOf(model: LayersModel): Leaf[] {
  return leavesOf(model).filter(({ layer }) => normNameOf(layer) !== undefined);
}

/** A weight of a layer by its short name. RMS norm's gamma is called scale. */
export function weightOf(layer: layers.Layer, name: 'gamma' | 'beta' | 'kernel' | 'bias'): LayerVariable | undefined {
  const names = name === 'gamma' ? ['gamma', 'scale'] : [name];
  return layer.weights.find((variable) => names.includes(shortName(variable)));
}

/** Writes a value as it is; a layer's own `write` would apply the weight's constraint. */
export function assign(variable: LayerVariable, value: Tensor): void {
  (variable.read() as Variable).assign(value);
}
