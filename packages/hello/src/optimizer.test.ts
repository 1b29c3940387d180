import '../test/backends.ts';
import { dispose, memory, tensor, variable, type Variable } from '@tensorflow/tfjs-core';
import { backend } from '@evenkeel/core';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { HelloOptimizer } from './optimizer.ts';

/** Applies the gradients one after the other, and reads the variable. */
async function descend(optimizer: HelloOptimizer, value: Variable, gradients: readonly number[][]): Promise<number[]> {
  for (const gradient of gradients) {
    const given = tensor(gradient);
    optimizer.applyGradients({ [value.name]: given });
    given.dispose();
  }
  return Array.from(await value.data());
}

describe.each(['cpu', 'wasm'])('on %s', (name) => {
  let value: Variable;
  beforeEach(async () => {
    await backend(name);
    const initial = tensor([1, 2]);
    value = variable(initial);
    initial.dispose();
  });
  afterEach(() => value.dispose());

  test('takes the steps that its formula says', async () => {
    const optimizer = new HelloOptimizer({ learningRate: 0.1, momentum: 0.5 });
    // rms([3, 4]) = 3.5355; then v = [0.8485, 1.1314] / 2 + [1, 1]
    const found = await descend(optimizer, value, [
      [3, 4],
      [5, 5],
    ]);
    expect(found[0]).toBeCloseTo(1 - 0.08485 - 0.14243, 4);
    expect(found[1]).toBeCloseTo(2 - 0.11314 - 0.15657, 4);
    optimizer.dispose();
  });

  test('goes on from saved weights as if it had not stopped, and leaves nothing behind', async () => {
    const before = memory().numTensors;
    const first = new HelloOptimizer();
    await descend(first, value, [[3, 4]]);
    const saved = await first.getWeights();
    const second = new HelloOptimizer();
    await second.setWeights(saved);
    const start = Array.from(await value.data());
    const wanted = await descend(first, value, [[1, -1]]);
    const back = tensor(start);
    value.assign(back);
    back.dispose();
    expect(await descend(second, value, [[1, -1]])).toEqual(wanted);
    first.dispose();
    second.dispose();
    dispose([saved[0]!.tensor]);
    expect(memory().numTensors).toBe(before);
  });
});

test('refuses what makes no sense', () => {
  expect(() => new HelloOptimizer({ learningRate: 0 })).toThrow('learningRate');
  expect(() => new HelloOptimizer({ momentum: 1 })).toThrow('momentum');
});
