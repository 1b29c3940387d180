// The running state of a model's norms, apart from its weights: read, written, reset, and merged between replicas.
import {
  add,
  all,
  clone,
  dispose,
  fill,
  isFinite,
  maximum,
  mul,
  square,
  sub,
  tidy,
  type DataType,
  type Tensor,
} from '@tensorflow/tfjs-core';
import type { layers, LayersModel } from '@tensorflow/tfjs-layers';
import { EvenkeelError, expect } from '@evenkeel/core';
import type { LayerVariable } from '../keras.ts';
import { leavesOf, shortName } from '../replace-norm/leaves.ts';
import { UnMixTNS } from '../unmix-tns/layer.ts';
import { RULES, type Rule } from './rules.ts';

/** What norms remember: weights by `layer/weight`, where a layer inside of others has all their names. */
export type ModelStatistics = Record<string, Tensor>;

export interface MergeOptions {
  /** How much data each replica has seen. Default: all the same. */
  counts?: readonly number[];
}

interface Entry {
  readonly rule: Rule;
  readonly variable: LayerVariable;
  /** Of the weight that the rule is about the mean of. */
  readonly around: string | undefined;
}

/** The state of a model's norms, by `layer/weight`. */
function entriesOf(model: LayersModel): Map<string, Entry> {
  const entries = new Map<string, Entry>();
  for (const { layer, path } of leavesOf(model as layers.Layer)) {
    const rules = RULES[layer.getClassName()];
    if (rules === undefined) continue;
    for (const variable of layer.weights) {
      const rule = rules[shortName(variable)];
      if (rule === undefined) continue;
      const around = rule.around === undefined ? undefined : `${path}/${rule.around}`;
      entries.set(`${path}/${shortName(variable)}`, { rule, variable, around });
    }
  }
  return entries;
}

/** Throws unless `found` is of the same names and shapes as `wanted`. */
function checkFit(op: string, argument: string, found: Readonly<Record<string, Tensor>>, wanted: Readonly<Record<string, Tensor>>): void {
  const names = Object.keys({ ...wanted, ...found }).filter((name) => !(name in wanted) || !(name in found));
  if (names.length > 0) {
    const message = `${argument} and the first differ in ${names.join(', ')}, expected the same layers with the same names`;
    throw new EvenkeelError('INVALID_ARGUMENT', message, { op, argument });
  }
  for (const [name, { shape }] of Object.entries(wanted)) {
    const given = found[name]!.shape;
    if (given.length === shape.length && shape.every((length, axis) => given[axis] === length)) continue;
    throw new EvenkeelError('SHAPE', `${name} of ${argument} has shape [${given.join(', ')}], expected [${shape.join(', ')}]`, {
      op,
      argument,
    });
  }
}

function readEntries(entries: ReadonlyMap<string, Entry>): ModelStatistics {
  return Object.fromEntries(Array.from(entries, ([name, { variable }]) => [name, variable.read()]));
}

/**
 * What the norms of a model remember beside their weights: running means and variances, warm-up counters, windows, components. All of it is
 * in weights that do not train, and so in saved models; this is for keeping or sending it apart.
 *
 * @returns copies by `layer/weight`, which the caller disposes
 *
 * @example
 * const before = getStatistics(model); // { 'batch_normalization/moving_mean': Tensor, ... }
 */
export function getStatistics(model: LayersModel): ModelStatistics {
  return Object.fromEntries(Object.entries(readEntries(entriesOf(model))).map(([name, tensor]) => [name, clone(tensor)]));
}

/**
 * Gives the norms of a model what {@link getStatistics} has read, of it or of another of the same kind.
 *
 * @throws EvenkeelError INVALID_ARGUMENT for other names than the model has, SHAPE for other shapes; nothing is written then
 */
export function setStatistics(model: LayersModel, statistics: ModelStatistics): void {
  const entries = entriesOf(model);
  checkFit('setStatistics', 'statistics', statistics, readEntries(entries));
  for (const [name, { variable }] of entries) variable.write(statistics[name]!);
}

/** Lets the norms of a model forget what they have seen: averages start anew, and so do warm-ups; UnMix-TNS goes back to the statistics of training. */
export function resetStatistics(model: LayersModel): void {
  tidy(() => {
    for (const { rule, variable } of entriesOf(model).values()) {
      if (rule.start !== undefined) variable.write(fill(variable.shape as number[], rule.start, variable.dtype as DataType as 'float32'));
    }
    for (const { layer } of leavesOf(model as layers.Layer)) if (layer instanceof UnMixTNS) layer.resetAdaptation();
  });
}

/** The mean with these weights, whose sum is 1. */
function weighted(values: readonly Tensor[], shares: readonly number[]): Tensor {
  return values.map((value, i) => mul(value, shares[i]!)).reduce((a, b) => add(a, b));
}

function mergeOne(rule: Rule, values: readonly Tensor[], means: readonly Tensor[], shares: readonly number[]): Tensor {
  if (rule.merge === 'equal') return clone(values[0]!);
  if (rule.merge === 'most') return clone(values.reduce((a, b) => maximum(a, b)));
  const within = weighted(values, shares);
  if (rule.merge === 'mean') return within;
  const center = weighted(means, shares);
  return add(
    within,
    weighted(
      means.map((mean) => square(sub(mean, center))),
      shares,
    ),
  );
}

/** Throws where a count of one replica is not that of all. */
async function checkEqual(name: string, values: readonly Tensor[]): Promise<void> {
  const [first, ...others] = await Promise.all(values.map(async (value) => Array.from(await value.data())));
  const at = others.findIndex((other) => other.some((value, i) => value !== first![i]));
  if (at < 0) return;
  const message = `${name} is ${others[at]!.slice(0, 4).join(', ')} in replica ${at + 1}, expected ${first!.slice(0, 4).join(', ')}, as in the first`;
  throw new EvenkeelError('INVALID_ARGUMENT', message, { op: 'mergeStatistics', argument: 'models' });
}

async function checkFinite(statistics: ModelStatistics): Promise<void> {
  for (const [name, value] of Object.entries(statistics)) {
    const flag = tidy(() => all(isFinite(value)));
    const [finite] = await flag.data();
    flag.dispose();
    if (finite) continue;
    const message = `${name} of a replica has NaN or infinity, expected finite statistics`;
    throw new EvenkeelError('NON_FINITE', message, { op: 'mergeStatistics', argument: 'models' });
  }
}

/**
 * Makes the running state of several replicas of a model one, and gives it to all of them: after each round of data-parallel training, where
 * every replica has seen data of its own. Weights that train are left alone.
 *
 * - Running means: their mean, by how much data each replica has seen.
 * - Running variances about a mean (batch norm): the variance of all data together, mean of the variances + variance of the means. For replicas
 *   that have seen one batch each with a momentum of 0 these are the statistics of the batches as one, exactly; running averages of more batches merge
 *   as if each replica had drawn from a distribution with its mean and variance.
 * - Mean squares (PowerNorm, unified norm with its windows), EvoNorm-B's variance, L1 norms' deviations, what backward passes have moved, the components
 *   of UnMix-TNS (which must have started alike): their mean.
 * - Counters of steps, and what UnMix-TNS was trained with, must be the same in all. Counters of skipped batches or images: the largest.
 *
 * @param models - of the same layers, names and shapes, on one backend. One from elsewhere comes in by {@link setStatistics}.
 * @param options - `counts`: how much data each replica has seen, numbers above 0
 * @returns names of what was merged, as in {@link getStatistics}
 * @throws EvenkeelError INVALID_ARGUMENT for no models, other layers, other counters, or counts that do not fit; SHAPE for other shapes; NON_FINITE where a replica
 * has NaN or infinity. Nothing is written then.
 *
 * Source: Chan, Golub, LeVeque 1979, "Updating Formulae and a Pairwise Algorithm for Computing Sample Variances", for the variance.
 *
 * @example
 * await Promise.all(replicas.map((replica, i) => replica.fit(x[i], y[i], { epochs: 1 })));
 * await mergeStatistics(replicas, { counts: x.map(({ shape }) => shape[0]) });
 */
export async function mergeStatistics(models: readonly LayersModel[], { counts }: MergeOptions = {}): Promise<string[]> {
  const op = 'mergeStatistics';
  expect(Array.isArray(models) && models.length > 0, op, 'models', 'one model or more', models);
  const given = counts ?? models.map(() => 1);
  const fits = given.length === models.length && given.every((count) => Number.isFinite(count) && count > 0);
  expect(fits, op, 'counts', `${models.length} numbers > 0`, counts);
  const total = given.reduce((a, b) => a + b, 0);
  const shares = given.map((count) => count / total);

  const entries = models.map(entriesOf);
  // Copies: a replica may go on while they are read.
  const states = models.map(getStatistics);
  let merged: ModelStatistics = {};
  try {
    const [first] = states as [ModelStatistics];
    for (const [i, state] of states.entries()) checkFit(op, `models[${i}]`, state, first);
    for (const state of states) await checkFinite(state);
    for (const [name, { rule }] of entries[0]!)
      if (rule.merge === 'equal')
        await checkEqual(
          name,
          states.map((state) => state[name]!),
        );
    merged = tidy(() => {
      const results: ModelStatistics = {};
      for (const [name, { rule, around }] of entries[0]!) {
        const values = states.map((state) => state[name]!);
        const means = around === undefined ? [] : states.map((state) => state[around]!);
        results[name] = mergeOne(rule, values, means, shares);
      }
      return results;
    });
    for (const own of entries) for (const [name, { variable }] of own) variable.write(merged[name]!);
    return Object.keys(merged);
  } finally {
    dispose(states);
    dispose(merged);
  }
}
