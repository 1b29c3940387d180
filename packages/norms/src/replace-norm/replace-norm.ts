import type { serialization, Variable } from '@tensorflow/tfjs-core';
import type { layers, LayersModel } from '@tensorflow/tfjs-layers';
import { EvenkeelError, expect, show } from '@evenkeel/core';
import { createNorm, type NormArgs, type SharedNormArgs } from '../create-norm/create-norm.ts';
import { normNameOf, normNames, NORMS, traitsOf, type NormName } from '../create-norm/table.ts';
import type { LayerVariable } from '../keras.ts';
import { leavesOf, shortName } from './leaves.ts';
import { copyOf, copyWeights, rebuild } from './rebuild.ts';

/** What became of a layer that was replaced. Weights are named as in the layer that has them. */
export interface Replacement {
  /** Names of the layers down to this one. The new layer has the same name. */
  readonly layer: string;
  readonly from: string;
  readonly to: NormName;
  /** Weights of the new layer that have the values of the old one. */
  readonly kept: readonly string[];
  /** Weights of the old layer that the new one has no place for. */
  readonly lost: readonly string[];
  /** Weights of the new layer that begin anew. */
  readonly fresh: readonly string[];
}

export interface ReplacedNorms {
  readonly model: LayersModel;
  readonly replaced: readonly Replacement[];
}

/** Which layers are to be replaced: those of a norm, of several, or those for which a function says so. */
export type NormChoice = NormName | readonly NormName[] | ((layer: layers.Layer) => boolean);

/** Configuration that all norms with a gamma or a beta understand alike. */
const AFFINE = ['gammaInitializer', 'gammaRegularizer', 'gammaConstraint', 'betaInitializer', 'betaRegularizer', 'betaConstraint'];
const LAYER = ['name', 'trainable', 'dtype', 'batchInputShape'];

function choose(from: NormChoice): (layer: layers.Layer) => boolean {
  if (typeof from === 'function') return from;
  const names = typeof from === 'string' ? [from] : from;
  for (const name of names) {
    if (Object.hasOwn(NORMS, name)) continue;
    const details = { op: 'replaceNorm', argument: 'from' };
    throw new EvenkeelError('NOT_FOUND', `from is ${show(name)}, expected some of ${normNames()}, or a function`, details);
  }
  return (layer) => {
    const name = normNameOf(layer);
    return name !== undefined && names.includes(name);
  };
}

/** The axis of the new norm: the same one, or the last where the old norm had several and the new one takes one. */
function axisFor(layer: layers.Layer, path: string, to: NormName): number | number[] {
  const given = layer.getConfig()['axis'] as number | number[] | undefined;
  const rank = layer.inboundNodes[0]?.inputTensors[0]?.rank;
  const axes = (given === undefined ? [-1] : Array.isArray(given) ? given : [given]).map((axis) =>
    rank !== undefined && axis >= 0 ? axis - rank : axis,
  );
  const { axis: kind } = traitsOf(to);
  if (kind === 'several') return axes;
  const axis = axes.length > 1 && axes.includes(-1) ? -1 : axes[0]!;
  expect(axes.length === 1 || axis === -1, 'replaceNorm', path, `a layer whose axes include the last, for the norm ${to}`, axes);
  expect(kind === 'one' || axis === -1, 'replaceNorm', path, `a layer on the last axis, the only one of the norm ${to}`, axes);
  return axis;
}

/** The arguments that the old layer gives the new one. */
function carried(layer: layers.Layer, path: string, to: NormName): serialization.ConfigDict {
  const config = layer.getConfig();
  // One of its own kind: tfjs-layers' for ours, or one with other options.
  if (layer.getClassName() === NORMS[to].layer.className) return config;
  const { center, scale, activation } = traitsOf(to);
  const rest = [...LAYER, 'epsilon', ...AFFINE.filter((key) => (key.startsWith('gamma') ? scale : center))];
  const taken: serialization.ConfigDict = Object.fromEntries(rest.filter((key) => key in config).map((key) => [key, config[key]!]));
  if (center && typeof config['center'] === 'boolean') taken['center'] = config['center'];
  if (scale && typeof config['scale'] === 'boolean') taken['scale'] = config['scale'];
  const activated = config['activation'];
  if (typeof activated === 'string' && activated !== 'linear') {
    // Left out, the model would compute something else.
    expect(activation, 'replaceNorm', path, `a layer without an activation, which the norm ${to} cannot have`, activated);
    taken['activation'] = activated;
  }
  taken['axis'] = axisFor(layer, path, to);
  return taken;
}

/** What a weight is for. RMS norm's gamma has another name, Keras' own. */
const roleOf = (weight: LayerVariable): string => {
  const name = shortName(weight);
  return name === 'scale' ? 'gamma' : name;
};

/** Gives the new layer what it can take of the old one's weights. */
function handOver(from: layers.Layer, to: layers.Layer): Pick<Replacement, 'kept' | 'lost' | 'fresh'> {
  const old = new Map(from.weights.map((weight) => [roleOf(weight), weight]));
  const fits = (weight: LayerVariable): boolean => String(old.get(roleOf(weight))?.shape) === String(weight.shape);
  const learned = new Set(to.weights.filter(({ trainable }) => trainable));
  const state = to.weights.filter((weight) => !learned.has(weight));
  // A part of a state means nothing: a count of steps without the statistics that it counts.
  const wholeState = state.every(fits);
  const kept = to.weights.filter((weight) => fits(weight) && (learned.has(weight) || wholeState));
  for (const weight of kept) (weight.read() as Variable).assign(old.get(roleOf(weight))!.read());
  const roles = new Set(kept.map(roleOf));
  return {
    kept: kept.map(shortName),
    lost: [...old].filter(([role]) => !roles.has(role)).map(([, weight]) => shortName(weight)),
    fresh: to.weights.filter((weight) => !roles.has(roleOf(weight))).map(shortName),
  };
}

/**
 * A model with another norm in place of one: Sequential and functional models, with layers and models that are used more than once, models
 * inside of models, and layers in wrappers. The new layers have the names, `axis`, `epsilon`, `center`, `scale`, `activation`,
 * initializers, regularizers and constraints of the old ones, as far as their norm has such; `args` go before these. All weights are copied; of the
 * replaced layers those that mean the same and have the same shape: gamma, beta, and running statistics where all of them are the same ones.
 * `replaced` says what was kept, what was lost, what begins anew.
 *
 * The new model is not compiled, everything in it is trainable that its layers say is, and the old model stays as it was. With
 * the name of the same norm, `replaceNorm(model, 'batch', 'batch')`, tfjs-layers' own layers become ours.
 * EvoNorm is an activation, too: the one behind the old norm is not removed.
 *
 * @param from - a norm's name, several, or a function that chooses layers
 * @param to - the name of the new norm
 * @param args - arguments of the new layers
 * @throws EvenkeelError NOT_FOUND for an unknown name or a model without such a layer, INVALID_ARGUMENT for a layer on axes, or with an activation,
 * that the new norm cannot have, and as the new layer; then nothing is left behind
 *
 * @example
 * const { model, replaced } = replaceNorm(convolutional, 'batch', 'group', { groups: 8 });
 * // replaced[0]: { layer: 'norm1', from: 'batch', to: 'group', kept: ['gamma', 'beta'], lost: ['moving_mean', 'moving_variance'], fresh: [] }
 */
export function replaceNorm<To extends NormName>(model: LayersModel, from: NormChoice, to: To, args?: NormArgs<To>): ReplacedNorms {
  const op = 'replaceNorm';
  if (!Object.hasOwn(NORMS, to)) {
    throw new EvenkeelError('NOT_FOUND', `to is ${show(to)}, expected one of ${normNames()}`, { op, argument: 'to' });
  }
  const chosen = choose(from);
  const leaves = leavesOf(model);
  const paths = new Map(leaves.filter(({ layer }) => chosen(layer)).map(({ layer, path }) => [layer, path]));
  if (paths.size === 0) {
    const norms = [...new Set(leaves.map(({ layer }) => normNameOf(layer)).filter((name) => name !== undefined))].join(', ');
    const message = `the model has no such layer; its norms are: ${norms || 'none'}`;
    throw new EvenkeelError('NOT_FOUND', message, { op, argument: 'from' });
  }
  const rebuilt = rebuild(model, (layer) => {
    const path = paths.get(layer);
    if (path === undefined) return copyOf(layer);
    const both: SharedNormArgs = { ...carried(layer, path, to), ...args };
    return createNorm(to, both as NormArgs<To>);
  });
  const replaced: Replacement[] = [];
  for (const { layer, path } of leaves) {
    const made = rebuilt.layers.get(layer)!;
    if (!paths.has(layer)) copyWeights(layer, made);
    else replaced.push({ layer: path, from: normNameOf(layer) ?? layer.getClassName(), to, ...handOver(layer, made) });
  }
  return { model: rebuilt.model, replaced };
}
