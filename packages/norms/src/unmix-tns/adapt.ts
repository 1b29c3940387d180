// A trained model whose batch normalizations follow the stream: made, taken back to its start, stored and restored.
import { dispose, type Tensor } from '@tensorflow/tfjs-core';
import type { layers, LayersModel } from '@tensorflow/tfjs-layers';
import { EvenkeelError } from '@evenkeel/core';
import { isModel } from '../replace-norm/leaves.ts';
import { buildFor, collectWeights, exchangeLayer, inputShapeOf } from './exchange-layer.ts';
import { UnMixTNS, type AdaptationState, type UnMixTNSArgs } from './layer.ts';

type Layer = layers.Layer;

/** How {@link adaptModel} replaces layers; what they keep of those before is not among it. */
export type AdaptOptions = Pick<
  UnMixTNSArgs,
  | 'components'
  | 'alpha'
  | 'init'
  | 'seed'
  | 'temperature'
  | 'momentum'
  | 'batchSize'
  | 'maxBatchSize'
  | 'exactMixtureVariance'
  | 'onNonFinite'
  | 'adapt'
>;

/** What {@link adaptModel} did; layers by name. */
export interface Adapted {
  replaced: string[];
  /** Batch normalizations inside of wrappers, which stay as they are. */
  left: string[];
  /** Layers whose statistics are those before training, mean 0 and variance 1: there is nothing to adapt from. */
  untrained: string[];
}

/** State of each layer, by name. */
export type ModelAdaptationState = Record<string, AdaptationState>;

/** A layer, and the model that it is directly in. */
interface Place {
  layer: Layer;
  model: LayersModel;
}

/** The layers of a model and of the models in it. */
function placesIn(model: LayersModel): Place[] {
  const places: Place[] = model.layers.flatMap((layer) => (isModel(layer) ? placesIn(layer) : [{ layer, model }]));
  return places.filter(({ layer }, i) => places.findIndex((other) => other.layer === layer) === i);
}

const adapting = (model: LayersModel): UnMixTNS[] =>
  placesIn(model).flatMap(({ layer }) => (layer.getClassName() === UnMixTNS.className ? [layer as UnMixTNS] : []));

const isBatchNorm = (layer: Layer): boolean => layer.getClassName() === 'BatchNormalization';

/** Finite, and not negative for variances; and whether mean and variance are those before training. */
async function inspect(layer: Layer, mean: Tensor, variance: Tensor): Promise<{ untrained: boolean }> {
  const [means, variances] = [await mean.data(), await variance.data()];
  if (!means.every(Number.isFinite) || !variances.every((value) => Number.isFinite(value) && value >= 0)) {
    const message = `layer ${layer.name} has moving statistics that are not finite or a negative variance, expected those of training`;
    throw new EvenkeelError('NON_FINITE', message, { op: 'adaptModel', argument: 'model' });
  }
  return { untrained: means.every((value) => value === 0) && variances.every((value) => value === 1) };
}

/** A layer in the place of a batch normalization, with its weights, its components made of its moving statistics. */
function replacement(layer: Layer, options: AdaptOptions): UnMixTNS {
  const config = layer.getConfig();
  const { name, axis, epsilon, center, scale } = config as { name: string; axis: number; epsilon: number; center: boolean; scale: boolean };
  const kept = ['betaInitializer', 'gammaInitializer', 'betaRegularizer', 'gammaRegularizer', 'betaConstraint', 'gammaConstraint'];
  const affine = Object.fromEntries(kept.map((key) => [key, config[key] ?? undefined]).filter(([, value]) => value !== undefined));
  const by = new UnMixTNS({ ...affine, ...options, name, axis, epsilon, center, scale, trainable: layer.trainable } as UnMixTNSArgs);
  buildFor(by, inputShapeOf(layer));
  const fresh = by.getWeights();
  const own = layer.getWeights();
  by.setWeights([...own, ...fresh.slice(own.length)]);
  by.resetAdaptation();
  return by;
}

/**
 * Replaces all batch normalizations of a model, tfjs' own as well as ours, by {@link UnMixTNS}, **in place**: the model itself from now on
 * adapts to what it is shown, `predict` included. Weights, names and shapes stay, so that it can be saved and loaded (with the plugin in
 * use). A compiled model stays compiled, but its optimizer's moments belong to the weights before. Layers that other models share with
 * this one adapt there, too. Seeds count up from layer to layer.
 *
 * @param model - trained, with moving statistics
 * @param options - of all layers; see {@link UnMixTNSArgs}. On streams of less than some thousand images take few components and a smaller
 * momentum, such as `{ components: 8, momentum: 0.7 }`.
 * @returns which layers were replaced, which could not be, and which have never been trained, of which a warning is printed
 * @throws EvenkeelError INVALID_ARGUMENT for options out of range, or where there is no batch normalization; NON_FINITE for moving statistics
 * that are not finite. The model is then as it was.
 *
 * Source: Tomar, Vray, Thiran, Bozorgtabar 2024, "Un-Mixing Test-Time Normalization Statistics".
 *
 * @example
 * const model = await tf.loadLayersModel('model.json');
 * await adaptModel(model, { components: 8, momentum: 0.7 });
 * const logits = model.predict(frames); // and the statistics have followed the frames
 */
export async function adaptModel(model: LayersModel, options: AdaptOptions = {}): Promise<Adapted> {
  const places = placesIn(model);
  const found = places.filter(({ layer }) => isBatchNorm(layer));
  const left = places.filter(({ layer }) => 'layer' in layer && isBatchNorm(layer.layer as Layer)).map(({ layer }) => layer.name);
  if (found.length === 0) {
    const message = `the model has no batch normalization${left.length > 0 ? ` outside of the wrappers ${left.join(', ')}` : ''}, expected at least one`;
    throw new EvenkeelError('INVALID_ARGUMENT', message, { op: 'adaptModel', argument: 'model' });
  }
  const untrained: string[] = [];
  for (const { layer } of found) {
    const [mean, variance] = layer.getWeights().slice(-2) as [Tensor, Tensor];
    if ((await inspect(layer, mean, variance)).untrained) untrained.push(layer.name);
  }
  const made: UnMixTNS[] = [];
  try {
    for (const [i, { layer }] of found.entries()) made.push(replacement(layer, { ...options, seed: (options.seed ?? 0) + i }));
  } catch (error) {
    for (const layer of made) dispose(layer.getWeights());
    throw error;
  }
  for (const [i, place] of found.entries()) exchangeLayer(place.model, place.layer, made[i]!);
  for (const each of new Set([model, ...found.map((place) => place.model)])) collectWeights(each);
  if (untrained.length > 0) {
    console.warn(
      `adaptModel: the moving statistics of ${untrained.join(', ')} are those before training; the components start from nothing`,
    );
  }
  return { replaced: found.map(({ layer }) => layer.name), left, untrained };
}

/** Takes all adapting layers of a model back to the statistics of training. */
export function resetAdaptation(model: LayersModel): void {
  for (const layer of adapting(model)) layer.resetAdaptation();
}

/** Stops the adaptation of a model, or with false goes on with it. */
export function freezeAdaptation(model: LayersModel, frozen = true): void {
  for (const layer of adapting(model)) layer.freezeAdaptation(frozen);
}

/**
 * A snapshot of what a model has adapted, to go back to: tensors, which the caller disposes.
 *
 * @example
 * const before = getAdaptationState(model);
 * model.predict(doubtful);
 * setAdaptationState(model, before);
 * Object.values(before).forEach((each) => tf.dispose(each));
 */
export function getAdaptationState(model: LayersModel): ModelAdaptationState {
  const states = adapting(model).map((layer) => [layer.name, layer.getAdaptationState()] as const);
  return Object.fromEntries(states.filter(([, state]) => state !== undefined)) as ModelAdaptationState;
}

/**
 * Takes a model back to a snapshot, or to one of another model of the same kind.
 *
 * @throws EvenkeelError INVALID_ARGUMENT for other layers than the model's, SHAPE for other components or channels; nothing has changed then
 */
export function setAdaptationState(model: LayersModel, state: ModelAdaptationState): void {
  const all = new Map(adapting(model).flatMap((layer) => (layer.hasComponents ? [[layer.name, layer] as const] : [])));
  const [wanted, given] = [[...all.keys()].sort(), Object.keys(state).sort()];
  if (wanted.join() !== given.join()) {
    const message = `state is of layers ${given.join(', ')}, expected ${wanted.join(', ')}`;
    throw new EvenkeelError('INVALID_ARGUMENT', message, { op: 'setAdaptationState', argument: 'state' });
  }
  for (const [name, layer] of all) layer.checkAdaptationState(state[name]!);
  for (const [name, layer] of all) layer.setAdaptationState(state[name]!);
}

/** How a layer's adaptation stands. */
export interface AdaptationReport {
  /** Images that were skipped for statistics that are not finite. */
  skipped: number;
  /** {@link smallestDistance} of its components. */
  smallestDistance: number;
}

/** How a model's adaptation stands, by layer. */
export async function inspectAdaptation(model: LayersModel): Promise<Record<string, AdaptationReport>> {
  const reports: Record<string, AdaptationReport> = {};
  for (const layer of adapting(model)) {
    reports[layer.name] = { skipped: await layer.skipCount(), smallestDistance: await layer.smallestDistance() };
  }
  return reports;
}
