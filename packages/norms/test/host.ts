// What tests of the norms share: tensors read back, and the formulas in double precision.
import { dispose, type Tensor } from '@tensorflow/tfjs-core';
import { backend, isEvenkeelError } from '@evenkeel/core';

/** Values of a tensor, which is disposed. */
export async function read(tensor: Tensor): Promise<number[]> {
  const values = Array.from(await tensor.data());
  dispose(tensor);
  return values;
}

/** Runs `work` on each backend in turn; a failure says on which. */
export async function onEach(backends: readonly string[], work: (name: string) => Promise<void>): Promise<void> {
  for (const name of backends) {
    await backend(name);
    try {
      await work(name);
    } catch (error) {
      throw new Error(`on ${name}: ${(error as Error).message}`, { cause: error });
    }
  }
}

/** (x - mean) / sqrt(variance + epsilon) of values that share a statistic. */
export function standardized(values: readonly number[], epsilon: number): number[] {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
  return values.map((value) => (value - mean) / Math.sqrt(variance + epsilon));
}

/** The largest |found - wanted|. NaN if one is NaN. */
export function worst(found: readonly number[], wanted: readonly number[]): number {
  if (found.length !== wanted.length) return Number.NaN;
  return wanted.reduce((most, value, i) => Math.max(most, Math.abs(found[i]! - value)), 0);
}

/** Deterministic values in [-1, 1). */
export function noise(length: number, seed = 1): number[] {
  let state = seed;
  return Array.from({ length }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 31 - 1;
  });
}

/**
 * An input of opcheck: alternately above 0.4 and below -0.4, so that no value is near the mean. `stride`: how far apart neighbours are
 * that share the mean. For functions with a kink at the mean, over which finite differences must not step.
 */
export function apart(shape: readonly number[], stride = 1): { shape: readonly number[]; values: (index: number) => number } {
  const values = (index: number): number => (Math.floor(index / stride) % 2 === 0 ? 1 : -1) * (0.4 + 0.6 * ((index * 0.618034) % 1));
  return { shape, values };
}

/** How a call is refused: the code of its EvenkeelError and the argument at fault. */
export function refusal(call: () => unknown): string {
  try {
    call();
  } catch (error) {
    if (isEvenkeelError(error)) return `${error.code} ${error.argument}`;
    throw error;
  }
  return 'nothing was thrown';
}
