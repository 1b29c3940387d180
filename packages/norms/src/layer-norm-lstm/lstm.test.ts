import { backends } from '../../../../tools/test-backends.ts';
import {
  add,
  concat,
  dispose,
  fill,
  grads,
  memory,
  mul,
  ones,
  randomNormal,
  sub,
  sum,
  tidy,
  zeros,
  type Tensor,
} from '@tensorflow/tfjs-core';
import { backend, isEvenkeelError } from '@evenkeel/core';
import { beforeEach, describe, expect, test } from 'vitest';
import { layerNormLSTMStep, type LayerNormLSTMWeights } from '../index.ts';

const normal = (shape: number[], seed: number): Tensor => randomNormal(shape, 0, 0.5, 'float32', seed);
const weights = (): LayerNormLSTMWeights => ({ kernel: normal([3, 16], 1), recurrentKernel: normal([4, 16], 2) });

// The numbers of whole sequences, with all gradients, are those of the oracle: see oracles.test.ts.
describe.each(backends)('layerNormLSTMStep on %s', (name) => {
  beforeEach(() => backend(name));

  test('a gamma that is left out is 1, a beta or the bias 0', async () => {
    const x = normal([2, 3], 3);
    const state = { h: normal([2, 4], 4), c: normal([2, 4], 5) };
    const bare = layerNormLSTMStep(x, state, weights());
    const [gamma, beta] = [ones([16]), zeros([16])];
    const full = layerNormLSTMStep(x, state, {
      ...weights(),
      bias: beta,
      gammaX: gamma,
      betaX: beta,
      gammaH: gamma,
      betaH: beta,
      gammaC: ones([4]),
      betaC: zeros([4]),
    });
    expect(await full.h.data()).toEqual(await bare.h.data());
    expect(await full.c.data()).toEqual(await bare.c.data());
  });

  test('the forget gate comes first: with it open and the others shut, the cell state stays', async () => {
    const state = { h: normal([2, 4], 4), c: normal([2, 4], 5) };
    const bias = concat([fill([4], 60), fill([8], -60), zeros([4])]);
    const { h, c } = layerNormLSTMStep(normal([2, 3], 3), state, { ...weights(), bias });
    const before = await state.c.data();
    (await c.data()).forEach((value, i) => expect(value).toBeCloseTo(before[i]!, 6));
    for (const value of await h.data()) expect(value).toBeCloseTo(0, 6);
  });

  test('its gradient agrees with a difference, and leaves no tensor behind', async () => {
    const x = normal([2, 3], 3);
    const state = { h: normal([2, 4], 4), c: normal([2, 4], 5) };
    const { kernel, recurrentKernel } = weights();
    const direction = normal([4, 16], 6);
    const loss = (r: Tensor): Tensor =>
      tidy(() => {
        const { h, c } = layerNormLSTMStep(x, state, { kernel, recurrentKernel: r });
        return add(sum(h), sum(mul(c, c)));
      });
    const slope = (): Tensor => tidy(() => sum(mul(grads(loss)([recurrentKernel])[0]!, direction)));
    slope().dispose();
    const before = memory().numTensors;
    const analytic = slope();
    const step = 0.02;
    const at = async (t: number): Promise<number> => {
      const y = tidy(() => loss(add(recurrentKernel, mul(direction, t))));
      const [value] = await y.data();
      y.dispose();
      return value!;
    };
    const numeric = (8 * ((await at(step)) - (await at(-step))) - ((await at(2 * step)) - (await at(-2 * step)))) / (12 * step);
    expect((await analytic.data())[0]).toBeCloseTo(numeric, 3);
    analytic.dispose();
    expect(memory().numTensors).toBe(before);
    dispose([x, state.h, state.c, kernel, recurrentKernel, direction]);
  });
});

describe('refuses', () => {
  beforeEach(() => backend('cpu'));

  test.each([
    ['x', { x: zeros([3]) }, 'x has shape [3], expected [batch, inputs]'],
    ['kernel', { x: zeros([2, 5]) }, 'kernel has shape [3, 16], expected [5, 16] (inputs, 4 units)'],
    ['recurrentKernel', { recurrentKernel: zeros([4, 12]) }, 'recurrentKernel has shape [4, 12], expected [4, 16] (units, 4 units)'],
    ['h', { h: zeros([1, 4]) }, 'h has shape [1, 4], expected [2, 4] (batch, units)'],
    ['c', { c: zeros([2, 3]) }, 'c has shape [2, 3], expected [2, 4] (batch, units)'],
    ['bias', { bias: zeros([4]) }, 'bias has shape [4], expected [16] (4 units)'],
    ['gammaC', { gammaC: zeros([16]) }, 'gammaC has shape [16], expected [4] (units)'],
    ['epsilon', { epsilon: 0 }, 'epsilon is 0, expected a finite number > 0'],
  ])('a bad %s', (argument, change, message) => {
    const { x, h, c, epsilon, ...rest } = { x: zeros([2, 3]), h: zeros([2, 4]), c: zeros([2, 4]), epsilon: 1e-5, ...weights(), ...change };
    let error: unknown;
    try {
      layerNormLSTMStep(x, { h, c }, rest, { epsilon });
    } catch (thrown) {
      error = thrown;
    }
    expect(isEvenkeelError(error) && error.argument).toBe(argument);
    expect((error as Error).message).toBe(`layerNormLSTMStep: ${message}`);
  });
});

test('scaling the weights of a sample changes nothing', async () => {
  await backend('cpu');
  const { kernel, recurrentKernel } = weights();
  const state = { h: normal([2, 4], 4), c: normal([2, 4], 5) };
  const a = layerNormLSTMStep(normal([2, 3], 3), state, { kernel, recurrentKernel });
  const b = layerNormLSTMStep(normal([2, 3], 3), state, { kernel: mul(kernel, 3), recurrentKernel: mul(recurrentKernel, 2) });
  for (const value of await sub(a.h, b.h).data()) expect(Math.abs(value)).toBeLessThan(1e-3);
});
