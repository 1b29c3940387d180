import type { LayersModel } from '@tensorflow/tfjs-layers';
import { EvenkeelError } from '@evenkeel/core';
import { normNameOf } from '../create-norm/table.ts';
import { applyValues, decode, encode, namedWeights, valueOf, type EncodedWeight, type WeightValues } from './state.ts';

const isNorm = (layer: Parameters<typeof normNameOf>[0]): boolean => normNameOf(layer) !== undefined;

/**
 * What the norms of a model have learned and keep: gamma, beta, running statistics. With a frozen model that many users or tasks share, it is
 * all that is one's own: take it after training, and {@link applyAdapter} it before the next use.
 *
 * @throws EvenkeelError INVALID_ARGUMENT for a model without norms
 *
 * @example
 * const ada = await takeAdapter(model);
 * applyAdapter(model, bob);
 * const forBob = model.predict(x);
 * applyAdapter(model, ada);
 */
export async function takeAdapter(model: LayersModel): Promise<WeightValues> {
  const weights = [...namedWeights(model, isNorm)];
  if (weights.length === 0) {
    throw new EvenkeelError('INVALID_ARGUMENT', 'model has no norm with weights, expected one', { op: 'takeAdapter', argument: 'model' });
  }
  return Object.fromEntries(await Promise.all(weights.map(async ([name, weight]) => [name, await valueOf(weight)] as const)));
}

/**
 * Gives the norms of a model what {@link takeAdapter} took of it, or of a model with the same layers.
 *
 * @throws EvenkeelError NOT_FOUND or SHAPE where the adapter does not fit all norms of the model, before anything has changed
 */
export function applyAdapter(model: LayersModel, adapter: WeightValues): void {
  const op = 'applyAdapter';
  const weights = namedWeights(model, isNorm);
  const missing = [...weights.keys()].find((name) => !Object.hasOwn(adapter, name));
  if (missing !== undefined) {
    throw new EvenkeelError('NOT_FOUND', `adapter has no ${missing}, which the model has`, { op, argument: 'adapter' });
  }
  applyValues(op, weights, adapter, 'adapter');
}

/** An adapter as JSON, bit for bit. */
export function adapterToJson(adapter: WeightValues): string {
  return JSON.stringify(Object.fromEntries(Object.entries(adapter).map(([name, value]) => [name, encode(value)])));
}

/** The adapter that {@link adapterToJson} wrote. */
export function adapterFromJson(json: string): WeightValues {
  const encoded = JSON.parse(json) as Record<string, EncodedWeight>;
  return Object.fromEntries(Object.entries(encoded).map(([name, value]) => [name, decode(value)]));
}
