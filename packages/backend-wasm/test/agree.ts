// The same computation on 'wasm' and on 'cpu'.
import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-backend-wasm';
import '@evenkeel/core/register-gradients';
import { expect } from 'vitest';

/** The largest finite magnitude, at least 1: rounding errors of sums are of its order. */
const scaleOf = (values: ArrayLike<number>): number =>
  Array.from(values).reduce((largest, value) => (Number.isFinite(value) ? Math.max(largest, Math.abs(value)) : largest), 1);

const describe = ({ shape, dtype }: tf.Tensor): object => ({ shape, dtype });

/** The first place where two results differ by more than rounding; NaN and infinities must match. */
export function difference(found: ArrayLike<number>, wanted: ArrayLike<number>, tolerance: number): string | undefined {
  if (found.length !== wanted.length) return `${found.length} values, expected ${wanted.length}`;
  const scale = scaleOf(wanted);
  for (let i = 0; i < wanted.length; i++) {
    const [a, b] = [found[i]!, wanted[i]!];
    if (Object.is(a, b) || a === b || (Number.isNaN(a) && Number.isNaN(b))) continue;
    if (!(Math.abs(a - b) <= tolerance * scale)) return `${a} at ${i}, expected ${b}`;
  }
  return undefined;
}

/**
 * Runs `compute` on 'wasm' and on 'cpu' and expects the same shapes, dtypes and values (to `tolerance` of the largest), and no buffer left.
 * 'wasm' must be the current backend, and the inputs have been read once.
 */
export async function agree(compute: () => tf.Tensor[], tolerance = 1e-5): Promise<void> {
  // Inputs that were on cpu move here in a first call.
  tf.dispose(tf.tidy(compute));
  const before = tf.backend().numDataIds();
  const ours = tf.tidy(compute);
  expect(tf.backend().numDataIds()).toBe(before + new Set(ours.map(({ dataId }) => dataId)).size);
  const found = await Promise.all(ours.map((each) => each.data()));
  await tf.setBackend('cpu');
  try {
    const theirs = tf.tidy(compute);
    const wanted = await Promise.all(theirs.map((each) => each.data()));
    expect(ours.map(describe)).toEqual(theirs.map(describe));
    wanted.forEach((values, i) => expect(difference(found[i]!, values, tolerance)).toBeUndefined());
    tf.dispose([...ours, ...theirs]);
  } finally {
    await tf.setBackend('wasm');
  }
}

/** Normal random values that are on the host already, so that both backends get the same. */
export async function normal<R extends tf.Rank>(shape: tf.ShapeMap[R]): Promise<tf.Tensor<R>> {
  const x = tf.randomNormal<R>(shape);
  await x.data();
  return x;
}
