import * as tf from '@tensorflow/tfjs-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { agree, normal } from '../../../test/agree.ts';
import { wasmFeatures } from '../../features.ts';
import { wasm } from '../../plugin.ts';
import { standDown, standIn } from '../index.ts';

afterAll(() => tf.setBackend('cpu'));

const least = 2 ** -149;

/** Numbers where something may go wrong, and random ones of all magnitudes. */
const special = [
  0,
  -0,
  1,
  -1,
  0.5,
  2,
  NaN,
  Infinity,
  -Infinity,
  least,
  -least,
  2 ** -126,
  1e-7,
  -1e-7,
  1e-3,
  -1e-3,
  88.6,
  88.8,
  89.5,
  -87.2,
  -87.5,
  -95,
  -103,
  -104,
  -110,
  3e38,
  -3e38,
  10,
  -10,
  20,
  -20,
];
const random = Array.from({ length: 3001 }, (_, i) => Math.fround(Math.sin(i) * 10 ** ((i % 80) / 10 - 6)));
const values = Float32Array.from([...special, ...random, ...random.map((x) => x / 1e4)]);

/** Complementary to no library: erf by its series, and by a continued fraction further out. */
function erf(x: number): number {
  if (Number.isNaN(x)) return x;
  const z = Math.abs(x);
  if (z > 6) return Math.sign(x);
  if (z < 2.5) {
    let [sum, term] = [z, z];
    for (let n = 1; n < 80; n++) sum += (term *= -(z * z) / n) / (2 * n + 1);
    return (Math.sign(x) * 2 * sum) / Math.sqrt(Math.PI);
  }
  let fraction = 0;
  for (let n = 60; n > 0; n--) fraction = n / 2 / (z + fraction);
  return Math.sign(x) * (1 - Math.exp(-z * z) / (z + fraction) / Math.sqrt(Math.PI));
}

const alpha = 1.6732632423543772;
const scale = 1.0507009873554805;

/** By name: the op, its definition in double precision, and the error allowed, relative and absolute. */
const functions: [string, (x: tf.Tensor) => tf.Tensor, (x: number) => number, number, number][] = [
  ['exp', tf.exp, Math.exp, 2e-7, 3e-45],
  ['expm1', tf.expm1, Math.expm1, 4e-7, 3e-45],
  ['log', tf.log, Math.log, 3e-7, 0],
  ['log1p', tf.log1p, Math.log1p, 4e-7, 3e-45],
  ['tanh', tf.tanh, Math.tanh, 5e-7, 3e-45],
  ['selu', tf.selu, (x) => (x >= 0 ? scale * x : scale * alpha * Math.expm1(x)), 5e-7, 3e-45],
  ['softplus', tf.softplus, (x) => (x > 40 ? x : Math.log1p(Math.exp(x))), 5e-7, 3e-45],
  ['erf', tf.erf, erf, 3e-7, 6e-7],
  ['sqrt', tf.sqrt, Math.sqrt, 6e-8, 0],
  ['rsqrt', tf.rsqrt, (x) => 1 / Math.sqrt(x), 2e-7, 0],
  ['reciprocal', tf.reciprocal, (x) => 1 / x, 6e-8, 0],
  ['sign', tf.sign, (x) => Math.sign(x) || 0, 0, 0],
  ['leakyRelu', (x) => tf.leakyRelu(x, 0.25), (x) => (x < 0 ? x / 4 : x), 0, 0],
  ['step', (x) => tf.step(x, 0.5), (x) => (Number.isNaN(x) ? x : x > 0 ? 1 : 0.5), 0, 0],
];

describe.each([false, true])('with relaxed SIMD: %s', (relaxed) => {
  beforeAll(async () => {
    // Node 20 has it behind a flag, which this option sets.
    if (relaxed) wasm({ relaxedSimd: true });
    expect(wasmFeatures().relaxedSimd || !relaxed).toBe(true);
    standDown();
    standIn(relaxed);
    await tf.setBackend('wasm');
  });

  test.each(functions)('%s at all magnitudes, infinities, NaN and zeros', async (_, op, definition, relative, absolute) => {
    const x = tf.tensor1d(values);
    const before = tf.backend().numDataIds();
    const found = await tf.tidy(() => op(x)).data();
    expect(tf.backend().numDataIds()).toBe(before + 1);
    const wrong: string[] = [];
    values.forEach((value, i) => {
      const wanted = definition(value);
      const single = Math.fround(wanted);
      if (Object.is(found[i], single) || found[i] === single) return;
      if (!(Math.abs(found[i]! - wanted) <= relative * Math.abs(wanted) + absolute))
        wrong.push(`f(${value}) = ${found[i]}, expected ${wanted}`);
    });
    expect(wrong).toEqual([]);
  });

  test.each(functions)('%s of 0 to 5 numbers', async (_, op, definition) => {
    for (let n = 0; n <= 5; n++) {
      const x = tf.tensor1d(Array.from({ length: n }, (__, i) => 0.5 + i / 4));
      const y = await op(x).data();
      expect(y.length).toBe(n);
      for (let i = 0; i < n; i++) expect(y[i]).toBeCloseTo(definition(0.5 + i / 4), 5);
    }
  });

  test('elu and its gradient, as on cpu', async () => {
    const x = await normal<tf.Rank.R1>([37]);
    await agree(() => [tf.elu(x)]);
    await agree(() => [tf.grad((a) => tf.sum(tf.square(tf.elu(a))))(x)]);
  });
});

test('other types go to the kernel of tfjs', async () => {
  standIn();
  await tf.setBackend('wasm');
  const x = tf.tensor1d([-2, 0, 3], 'int32');
  await x.data();
  await agree(() => [tf.sign(x), tf.exp(tf.cast(x, 'float32'))]);
});
