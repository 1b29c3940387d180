import type { Variable } from '@tensorflow/tfjs-core';
import type { layers, LayersModel } from '@tensorflow/tfjs-layers';
import { EvenkeelError, show } from '@evenkeel/core';
import { shortName } from '../replace-norm/leaves.ts';
import { spareKernelGradient } from './frozen-kernels.ts';
import { groupOf, leavesAndOutput, limitTo, weightsOfLeaf, type ModelWeight, type WeightGroup } from './weights.ts';

/** How many numbers there are. */
export interface WeightCounts extends Record<WeightGroup, number> {
  readonly trainable: number;
  readonly frozen: number;
}

/** A model of which only a part trains. */
export interface Freezing {
  /** What is left to train, for optimizers and `tf.variableGrads`. */
  readonly trainable: readonly Variable[];
  readonly frozen: readonly Variable[];
  readonly counts: WeightCounts;
  /** Makes trainable what was so before, and nothing else. Of several freezings the last one is restored first. */
  restore(): void;
}

/** What is to train: a group, several, or those weights for which a function says so. */
export type Trained = WeightGroup | readonly WeightGroup[] | ((weight: ModelWeight) => boolean);

export interface FreezeOptions {
  /** Freezes what norms learn. Their running statistics move all the same. Default false. */
  norms?: boolean;
  /** Freezes the last dense layer. Default false. */
  output?: boolean;
  /** Freezes everything else. Default false. */
  others?: boolean;
  /** Names of others that train all the same, such as 'block/conv/kernel'; see {@link modelWeights}. */
  exceptions?: readonly string[];
}

const GROUPS: readonly WeightGroup[] = ['norms', 'output', 'others'];

/** What training can move in a model, each weight once, also where its layer is used more than once. */
export function modelWeights(model: LayersModel): ModelWeight[] {
  const { leaves, output } = leavesAndOutput(model);
  return leaves.flatMap(({ layer, path }) =>
    weightsOfLeaf(layer).learned.map((variable) => ({
      name: `${path}/${shortName(variable)}`,
      group: groupOf(layer, output),
      layer,
      variable,
    })),
  );
}

const sizeOf = (weights: readonly ModelWeight[]): number =>
  weights.reduce((sum, { variable }) => sum + variable.shape.reduce<number>((product, length) => product * length!, 1), 0);

const variablesOf = (weights: readonly ModelWeight[]): Variable[] => weights.map(({ variable }) => variable.read() as Variable);

function freezeAllBut(op: string, model: LayersModel, trains: (weight: ModelWeight) => boolean, aboutNorms: boolean): Freezing {
  const weights = modelWeights(model);
  if (aboutNorms && !weights.some(({ group }) => group === 'norms')) {
    throw new EvenkeelError('INVALID_ARGUMENT', 'model has no norm with weights, expected one', { op, argument: 'model' });
  }
  const chosen = weights.filter(trains);
  if (chosen.length === 0) {
    throw new EvenkeelError('INVALID_ARGUMENT', 'nothing would be left to train in model', { op, argument: 'model' });
  }
  const kept = new Set(chosen.map(({ variable }) => variable));
  const flags = new Map(weights.map(({ variable }) => [variable, variable.trainable]));
  const undo: (() => void)[] = [];
  const open = new Set<layers.Layer>();
  for (const { layer, within } of leavesAndOutput(model).leaves) {
    if (weightsOfLeaf(layer).learned.length === 0) continue;
    undo.push(limitTo(layer, kept), spareKernelGradient(layer));
    // What is inside of a layer that does not train, does not train.
    if (weightsOfLeaf(layer).learned.some((variable) => kept.has(variable))) for (const each of [...within, layer]) open.add(each);
  }
  for (const layer of open) {
    if (layer.trainable) continue;
    layer.trainable = true;
    undo.push(() => {
      layer.trainable = false;
    });
  }
  for (const { variable } of weights) variable.trainable = kept.has(variable);
  const frozen = weights.filter(({ variable }) => !kept.has(variable));
  const sizes = GROUPS.map((group) => [group, sizeOf(weights.filter((weight) => weight.group === group))]);
  return {
    trainable: variablesOf(chosen),
    frozen: variablesOf(frozen),
    counts: { ...(Object.fromEntries(sizes) as Record<WeightGroup, number>), trainable: sizeOf(chosen), frozen: sizeOf(frozen) },
    restore: () => {
      for (const step of undo.toReversed()) step();
      undo.length = 0;
      for (const [variable, flag] of flags) variable.trainable = flag;
      flags.clear();
    },
  };
}

/**
 * Freezes all of a model but its norms (or another group, several, or the weights that a function chooses): what is frozen has the same
 * bits after training as before. Running statistics are not frozen, they move as ever. Of a frozen kernel no gradient is computed, and
 * the inputs of its layer are not kept for one.
 *
 * Compile the model afterwards, and once more after `restore`: tfjs-layers notes at compiling what trains. While something is frozen,
 * `getWeights` has another order. A layer that other models share is frozen in them, too.
 *
 * @throws EvenkeelError INVALID_ARGUMENT for a model without norms, or if nothing is left to train
 *
 * Source: Frankle, Schwab, Morcos 2021, "Training BatchNorm and Only BatchNorm".
 *
 * @example
 * const { counts, restore } = trainOnly(model, 'norms');
 * model.compile({ optimizer: tf.train.momentum(0.1, 0.9), loss: 'categoricalCrossentropy' });
 * await model.fit(x, y);
 * restore();
 */
export function trainOnly(model: LayersModel, which: Trained): Freezing {
  const op = 'trainOnly';
  if (typeof which === 'function') return freezeAllBut(op, model, which, false);
  const groups = [which].flat();
  const unknown = groups.find((group) => !GROUPS.includes(group));
  if (unknown !== undefined) {
    const message = `which is ${show(unknown)}, expected a function or some of ${GROUPS.join(', ')}`;
    throw new EvenkeelError('INVALID_ARGUMENT', message, { op, argument: 'which' });
  }
  return freezeAllBut(op, model, ({ group }) => groups.includes(group), groups.includes('norms'));
}

/**
 * Freezes groups of weights, each by a switch of its own; `exceptions` among the others train all the same. See {@link trainOnly}.
 *
 * @throws EvenkeelError NOT_FOUND for an exception that is not the name of one of the others, and as {@link trainOnly}
 *
 * @example
 * freeze(model, { others: true }); // norms and output train
 * freeze(model, { norms: true, output: true, others: true, exceptions: ['shortcut/kernel'] });
 */
export function freeze(model: LayersModel, { exceptions = [], ...frozen }: FreezeOptions): Freezing {
  const op = 'freeze';
  const others = new Set(
    modelWeights(model)
      .filter(({ group }) => group === 'others')
      .map(({ name }) => name),
  );
  const unknown = exceptions.find((name) => !others.has(name));
  if (unknown !== undefined) {
    const message = `exceptions has ${show(unknown)}, expected names of weights outside of norms and output`;
    throw new EvenkeelError('NOT_FOUND', message, { op, argument: 'exceptions' });
  }
  const kept = new Set(exceptions);
  return freezeAllBut(op, model, ({ name, group }) => !frozen[group] || kept.has(name), true);
}
