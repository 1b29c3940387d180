import {
  abs,
  clone,
  div,
  equal,
  gather,
  less,
  lessEqual,
  logicalAnd,
  logicalOr,
  max,
  maximum,
  sub,
  tensor1d,
  tidy,
  where,
  zerosLike,
  type Tensor,
} from '@tensorflow/tfjs-core';
import type { layers, LayersModel, SymbolicTensor } from '@tensorflow/tfjs-layers';
import { EvenkeelError, expect } from '@evenkeel/core';
import { normNameOf } from '../create-norm/table.ts';
import { isModel, leavesOf, partsOf, shortName } from '../replace-norm/leaves.ts';
import { copyOf, copyWeights, rebuild } from '../replace-norm/rebuild.ts';
import { endsWithRelu } from './sparsity.ts';
import { assign, weightOf } from './weights.ts';

type Layer = layers.Layer;

/** A norm whose features nobody but a few layers read: what is dead of it can go. */
interface Site {
  /** Makes the features. */
  readonly source: Layer;
  readonly norm: Layer;
  /** Read them, behind a ReLU and layers that leave a 0 where it is. */
  readonly readers: readonly Layer[];
}

/** What became of a norm's features. */
export interface Pruned {
  /** Names of the layers down to the norm. */
  readonly layer: string;
  readonly removed: number;
  readonly left: number;
}

export interface PrunedModel {
  readonly model: LayersModel;
  readonly pruned: readonly Pruned[];
  /** Numbers in the weights of the model before and now. */
  readonly parameters: { readonly before: number; readonly after: number };
  /** With `check`: the largest difference to the outputs of the model before, relative to its largest output. */
  readonly difference?: number;
}

export interface PruneOptions {
  /** What the model is called with, to hold the new model to the old one. */
  check?: Tensor | Tensor[];
}

/** Channel by channel, and 0 for 0. */
const PASSES = new Set([
  'Activation',
  'AveragePooling2D',
  'Dropout',
  'Flatten',
  'GlobalAveragePooling2D',
  'GlobalMaxPooling2D',
  'MaxPooling2D',
  'ReLU',
  'SpatialDropout2D',
  'UpSampling2D',
  'ZeroPadding2D',
]);

const channelsLast = (layer: Layer): boolean => (layer.getConfig()['dataFormat'] ?? 'channelsLast') === 'channelsLast';
const isProduct = (layer: Layer): boolean => ['Conv2D', 'Dense'].includes(layer.getClassName()) && channelsLast(layer);
/** Used in one place, so that its weights are nobody else's. */
const isOwn = (layer: Layer): boolean => layer.inboundNodes.length === 1;

/** All sites of a model, and of the models in it. */
function sitesOf(model: LayersModel): Site[] {
  // A sequential model has no graph before it is used.
  if (Object.keys(model.nodesByDepth ?? {}).length === 0) model.build(model.inputs[0]!.shape);
  const nodes = Object.values(model.nodesByDepth).flat();
  const readersOf = new Map<SymbolicTensor, Layer[]>();
  for (const { inputTensors, outboundLayer } of nodes) {
    for (const tensor of inputTensors) readersOf.set(tensor, [...(readersOf.get(tensor) ?? []), outboundLayer]);
  }
  const outputs = new Set(model.outputs);

  /** The products behind a tensor, and whether nothing else is, and each of them is behind a ReLU. */
  const readersBehind = (tensor: SymbolicTensor, rectified: boolean): Layer[] | undefined => {
    if (outputs.has(tensor)) return undefined;
    const found: Layer[] = [];
    for (const layer of readersOf.get(tensor) ?? []) {
      if (!isOwn(layer) || !channelsLast(layer)) return undefined;
      if (isProduct(layer)) {
        if (!rectified) return undefined;
        found.push(layer);
        continue;
      }
      const { activation } = layer.getConfig();
      const rectifies = endsWithRelu(layer);
      if (!PASSES.has(layer.getClassName()) || (activation !== undefined && !rectifies)) return undefined;
      const behind = readersBehind(layer.output as SymbolicTensor, rectified || rectifies);
      if (behind === undefined) return undefined;
      found.push(...behind);
    }
    return found;
  };

  const sites: Site[] = [];
  for (const norm of model.layers) {
    if (isModel(norm)) sites.push(...sitesOf(norm));
    if (normNameOf(norm) !== 'batch' || !isOwn(norm)) continue;
    const input = norm.input as SymbolicTensor;
    const source = input.sourceLayer;
    const last = [norm.getConfig()['axis']].flat().every((axis) => axis === -1 || axis === input.rank - 1);
    const fits =
      last && model.layers.includes(source) && isProduct(source) && isOwn(source) && source.getConfig()['activation'] === 'linear';
    if (!fits || outputs.has(input) || readersOf.get(input)?.length !== 1) continue;
    const readers = readersBehind(norm.output as SymbolicTensor, false);
    if (readers && readers.length > 0) sites.push({ source, norm, readers });
  }
  return sites;
}

/** The features of a norm that a ReLU behind it makes 0 whatever comes: gamma is next to nothing, and beta is not above 0. */
function deadIn(norm: Layer, threshold: number): Tensor {
  return tidy(() => {
    const [gamma, beta] = [weightOf(norm, 'gamma')?.read(), weightOf(norm, 'beta')?.read()];
    const shape = norm.weights.at(-1)!.shape as number[];
    if (gamma === undefined) return equal(zerosOf(shape), 1);
    const off = logicalOr(less(abs(gamma), threshold), equal(gamma, 0));
    return beta ? logicalAnd(off, lessEqual(beta, 0)) : off;
  });
}

const zerosOf = (shape: readonly number[]): Tensor => tensor1d(new Float32Array(shape[0]!));

/** Which entries of a layer's inputs and outputs stay; of all others, all. */
interface Cut {
  outputs?: readonly number[];
  inputs?: { readonly kept: readonly number[]; readonly of: number };
}

const indices = (kept: readonly number[]): Tensor => tensor1d([...kept], 'int32');

function cutOf(value: Tensor, name: string, { inputs, outputs }: Cut): Tensor {
  let cut = clone(value);
  if (inputs && name === 'kernel') {
    const axis = value.rank - 2;
    // Behind a flattening layer, channels stand in each position's place again.
    const repeats = value.shape[axis]! / inputs.of;
    const all = Array.from({ length: repeats }, (_, position) => inputs.kept.map((channel) => position * inputs.of + channel)).flat();
    cut = gather(cut, indices(all), axis);
  }
  return outputs ? gather(cut, indices(outputs), cut.rank - 1) : cut;
}

function changesOf(layer: Layer, { outputs }: Cut): Record<string, number> {
  if (outputs === undefined || !isProduct(layer)) return {};
  return { [layer.getClassName() === 'Dense' ? 'units' : 'filters']: outputs.length };
}

const parametersOf = (model: LayersModel): number => leavesOf(model).reduce((sum, { layer }) => sum + layer.countParams(), 0);

/** Outputs as one list of tensors. Not predict, which works in batches of 32. */
const outputsOf = (model: LayersModel, x: Tensor | Tensor[]): Tensor[] => [model.apply(x) as Tensor | Tensor[]].flat();

const largest = (tensors: Tensor[]): Tensor => tensors.map((each) => max(abs(each))).reduce((x, y) => maximum(x, y));

/** The largest difference between outputs, relative to the largest of the second. */
async function differenceOf(found: () => Tensor[], wanted: () => Tensor[]): Promise<number> {
  const worst = tidy(() => {
    const [a, b] = [found(), wanted()];
    return div(largest(a.map((each, i) => sub(each, b[i]!))), maximum(largest(b), 1e-12));
  });
  const [value] = await worst.data();
  worst.dispose();
  return value!;
}

const TOLERANCE = 1e-5;

/**
 * A smaller model without the features that batch norm has switched off: those whose gamma is 0, or below a threshold, and whose beta is
 * not above 0, so that the ReLU behind makes them 0. The filter that makes such a feature goes, and what the next layers would read of it.
 * Only where it can be seen that nobody else reads it: a dense or convolution layer, its norm, a ReLU, pooling and the like, and then dense or
 * convolution layers; not where it is added to a residual. One feature is left at least. Everything else, and the old model, stays as it
 * was; the new one is not compiled.
 *
 * With `check`, the outputs for it must be those of the old model with these gammas at 0, up to 1e-5 of the largest. `difference` says how far
 * they are from the old model as it is: nothing but rounding where the gammas are 0.
 *
 * @param threshold - of |gamma|; 0: only gammas that are 0
 * @throws EvenkeelError INVALID_ARGUMENT for a threshold below 0, CHECK_FAILED where the outputs differ
 *
 * @example
 * const { model: small, parameters } = await pruneDeadFeatures(model, 0.01, { check: images });
 */
export async function pruneDeadFeatures(model: LayersModel, threshold: number, { check }: PruneOptions = {}): Promise<PrunedModel> {
  const op = 'pruneDeadFeatures';
  expect(Number.isFinite(threshold) && threshold >= 0, op, 'threshold', 'a number >= 0', threshold);
  const sites = sitesOf(model);
  const cuts = new Map<Layer, Cut>();
  const removed = new Map<Layer, Pruned>();
  const paths = new Map(leavesOf(model).map(({ layer, path }) => [layer, path]));
  for (const { source, norm, readers } of sites) {
    const flags = deadIn(norm, threshold);
    const dead = Array.from(await flags.data());
    flags.dispose();
    const living = dead.flatMap((flag, channel) => (flag ? [] : [channel]));
    const kept = living.length > 0 ? living : [0];
    removed.set(norm, { layer: paths.get(norm)!, removed: dead.length - kept.length, left: kept.length });
    for (const layer of [source, norm]) cuts.set(layer, { ...cuts.get(layer), outputs: kept });
    for (const layer of readers) cuts.set(layer, { ...cuts.get(layer), inputs: { kept, of: dead.length } });
  }
  const rebuilt = rebuild(model, (layer) => copyOf(layer, changesOf(layer, cuts.get(layer) ?? {})));
  tidy(() => {
    for (const [old, made] of rebuilt.layers) {
      const cut = cuts.get(old);
      if (partsOf(old).length > 0) continue;
      if (cut === undefined) copyWeights(old, made);
      else {
        const values = new Map(old.weights.map((weight) => [shortName(weight), weight.read()]));
        for (const weight of made.weights) assign(weight, cutOf(values.get(shortName(weight))!, shortName(weight), cut));
      }
    }
  });
  const parameters = { before: parametersOf(model), after: parametersOf(rebuilt.model) };
  const result = { model: rebuilt.model, pruned: [...removed.values()], parameters };
  if (check === undefined) return result;
  const difference = await differenceOf(
    () => outputsOf(rebuilt.model, check),
    () => outputsOf(model, check),
  );
  const error = await differenceOf(
    () => outputsOf(rebuilt.model, check),
    () => switchedOff(sites, threshold, () => outputsOf(model, check)),
  );
  if (error <= TOLERANCE) return { ...result, difference };
  rebuilt.model.dispose();
  throw new EvenkeelError('CHECK_FAILED', `the outputs of the pruned model are ${error} off, expected at most ${TOLERANCE}`, { op });
}

/** Computes with the dead features' gammas at 0. */
function switchedOff<T>(sites: readonly Site[], threshold: number, compute: () => T): T {
  const before = sites.flatMap(({ norm }) => {
    const gamma = weightOf(norm, 'gamma');
    if (gamma === undefined) return [];
    const value = clone(gamma.read());
    assign(gamma, where(deadIn(norm, threshold), zerosLike(value), value));
    return [{ gamma, value }];
  });
  try {
    return compute();
  } finally {
    for (const { gamma, value } of before) assign(gamma, value);
  }
}
