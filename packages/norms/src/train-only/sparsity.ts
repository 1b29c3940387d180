import { abs, all, clone, concat, dispose, equal, keep, less, reshape, tidy, where, zerosLike, type Tensor } from '@tensorflow/tfjs-core';
import type { layers, LayersModel } from '@tensorflow/tfjs-layers';
import { EvenkeelError } from '@evenkeel/core';
import type { LayerVariable } from '../keras.ts';
import { leavesOf } from '../replace-norm/leaves.ts';
import { assign, normsOf, weightOf } from './weights.ts';

function gammasOf(op: string, model: LayersModel): LayerVariable[] {
  const gammas = normsOf(model)
    .map(({ layer }) => weightOf(layer, 'gamma'))
    .filter((gamma) => gamma !== undefined);
  if (gammas.length > 0) return gammas;
  throw new EvenkeelError('INVALID_ARGUMENT', 'model has no norm with a gamma, expected one', { op, argument: 'model' });
}

/**
 * The share of the features whose norm has all but switched them off: |gamma| below a threshold.
 *
 * @param thresholds - the paper has 0.01
 * @returns a share for each threshold
 * @throws EvenkeelError INVALID_ARGUMENT for a model without a gamma
 *
 * @example
 * const [off] = await gammaSparsity(model, [0.01]); // 0.33: a third of the features
 */
export async function gammaSparsity(model: LayersModel, thresholds: readonly number[]): Promise<number[]> {
  const sizes = tidy(() => abs(concat(gammasOf('gammaSparsity', model).map((gamma) => reshape(gamma.read(), [-1])))));
  const values = await sizes.data();
  sizes.dispose();
  // A gamma that is a threshold is not below it because of how it is rounded.
  return thresholds.map((threshold) => values.filter((value) => value < Math.fround(threshold)).length / values.length);
}

/**
 * Sets every gamma below a threshold to 0: accuracy should hardly move where training has switched features off.
 *
 * @returns a function that puts back what was there
 * @throws EvenkeelError INVALID_ARGUMENT for a model without a gamma
 *
 * @example
 * const putBack = ablateGammas(model, 0.01);
 * // evaluate
 * putBack();
 */
export function ablateGammas(model: LayersModel, threshold: number): () => void {
  const gammas = gammasOf('ablateGammas', model);
  const before = gammas.map((gamma) => clone(gamma.read()));
  tidy(() => {
    for (const gamma of gammas) assign(gamma, where(less(abs(gamma.read()), threshold), zerosLike(gamma.read()), gamma.read()));
  });
  return () => {
    for (const [i, gamma] of gammas.entries()) {
      if (before[i]!.isDisposed) return;
      assign(gamma, before[i]!);
      before[i]!.dispose();
    }
  };
}

const RELU = new Set<string>(['relu', 'relu6']);

/** Whether a layer ends with a ReLU. */
export function endsWithRelu(layer: layers.Layer): boolean {
  return layer.getClassName() === 'ReLU' || RELU.has(String(layer.getConfig()['activation']));
}

/**
 * The share of features, behind the ReLUs of a model, that are 0 for all of a batch. Each application of a layer counts.
 *
 * @param x - what the model is called with
 * @returns `share`, and of how many `features`
 * @throws EvenkeelError INVALID_ARGUMENT for a model without a ReLU
 *
 * @example
 * const { share } = await deadFeatures(model, images);
 */
export async function deadFeatures(model: LayersModel, x: Tensor | Tensor[]): Promise<{ share: number; features: number }> {
  const rectifiers = leavesOf(model)
    .map(({ layer }) => layer)
    .filter(endsWithRelu);
  if (rectifiers.length === 0) {
    throw new EvenkeelError('INVALID_ARGUMENT', 'model has no ReLU, expected one', { op: 'deadFeatures', argument: 'model' });
  }
  const found: Tensor[] = [];
  const usual = rectifiers.map((layer) => [layer, Object.getOwnPropertyDescriptor(layer, 'call')] as const);
  for (const layer of rectifiers) {
    const call = layer.call.bind(layer);
    layer.call = (inputs, kwargs) => {
      const y = call(inputs, kwargs);
      // Kept: the model frees what its layers make on the way.
      for (const each of [y].flat()) found.push(tidy(() => keep(all(equal(reshape(each, [-1, each.shape.at(-1)!]), 0), 0))));
      return y;
    };
  }
  try {
    // Not predict: it works in batches of 32.
    dispose(model.apply(x) as Tensor | Tensor[]);
  } finally {
    for (const [layer, own] of usual) {
      if (own) Object.defineProperty(layer, 'call', own);
      else delete (layer as Partial<layers.Layer>).call;
    }
  }
  const dead = concat(found);
  const flags = Array.from(await dead.data());
  dispose([dead, ...found]);
  return { share: flags.reduce((count, flag) => count + flag, 0) / flags.length, features: flags.length };
}
