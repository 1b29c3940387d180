import '@tensorflow/tfjs-backend-cpu';
import { eye, matMul, reshape } from '@tensorflow/tfjs-core';
import { backend } from '@evenkeel/core';
import { beforeEach, expect, test } from 'vitest';
import { expectClose, expectNoLeak, values } from '../test/models.ts';
import { resolve, serialize, type Initializer } from './keras.ts';
import { Orthogonal } from './orthogonal.ts';

const read = (initializer: Orthogonal): Promise<number[]> => values(initializer.apply([4, 4]));

beforeEach(() => backend('cpu'));

test.each([
  [[5, 5], false],
  [[3, 8], false],
  [[8, 3], true],
  [[2, 4, 3], true],
])('a matrix of shape %j is orthogonal', async (shape, columns) => {
  const x = new Orthogonal({ seed: 1 }).apply(shape);
  expect(x.shape).toEqual(shape);
  const matrix = reshape(x, [-1, shape.at(-1)!]);
  const product = columns ? matMul(matrix, matrix, true) : matMul(matrix, matrix, false, true);
  await expectClose(product, eye(Math.min(matrix.shape[0]!, matrix.shape[1]!)), 2e-6);
});

test('gain multiplies, a seed repeats, nothing is left behind', async () => {
  const once = await read(new Orthogonal({ seed: 3 }));
  expect(await read(new Orthogonal({ seed: 3 }))).toEqual(once);
  expect(await read(new Orthogonal({ seed: 4 }))).not.toEqual(once);
  (await read(new Orthogonal({ seed: 3, gain: 2 }))).forEach((value, i) => expect(value).toBeCloseTo(2 * once[i]!, 6));
  await expectNoLeak(() => new Orthogonal().apply([4, 4]).dispose());
});

test("has Keras' name", () => {
  const found = resolve<Initializer>('recurrentInitializer', { className: 'Orthogonal', config: { gain: 2, seed: null } });
  expect(serialize(found)).toEqual({ className: 'Orthogonal', config: { gain: 2, seed: null } });
  expect(resolve<Initializer>('recurrentInitializer', 'orthogonal')).toBeInstanceOf(Orthogonal);
  expect(() => new Orthogonal().apply([4])).toThrow('Orthogonal: shape is [4], expected two axes or more');
});
