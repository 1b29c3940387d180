import * as tf from '@tensorflow/tfjs-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { agree, normal } from '../../../test/agree.ts';
import { standIn } from '../index.ts';

beforeAll(async () => {
  standIn();
  await tf.setBackend('wasm');
});
afterAll(() => tf.setBackend('cpu'));

const lengths: Record<string, number> = { a: 2, b: 3, c: 5, d: 1, e: 4, f: 7 };

test.each([
  'ab->ab',
  'ab->ba',
  'abc->ca',
  'abc->',
  'a,b->ab',
  'a,a->',
  'a,a->a',
  'ab,bc->ac',
  'ab,bc->ca',
  'ab,cb->ac',
  'ba,bc->ac',
  'abe,aec->abc',
  'ab,ab->ab',
  'ab,b->a',
  'ab,ac->b',
  'abc,cde->abde',
  'abce,afce->acbf',
  'acbf,afce->abce',
  'fae,bec->abcf',
  'abf,cd->a',
  ',ab->ab',
  'a b , b c -> a c',
])('%s and its gradients', async (equation) => {
  const terms = equation.replaceAll(' ', '').split('->')[0]!.split(',');
  const operands = await Promise.all(terms.map((term) => normal([...term].map((label) => lengths[label]!) as [number])));
  const weights = await normal(tf.einsum(equation, ...operands).shape as [number]);
  // Where an axis of one operand alone is summed cpu returns another shape, and where nothing is to be done its own operand.
  if (!['ab->ab', 'ab,ac->b', 'abf,cd->a'].includes(equation)) {
    await agree(() => [tf.einsum(equation, ...operands)]);
    await agree(() => tf.grads((...all) => tf.sum(tf.mul(tf.einsum(equation, ...all), weights)))(operands));
  }
  // And the gradient by its definition: the function is linear in each operand.
  const [x] = operands as [tf.Tensor];
  const dx = tf.grad((first) => tf.sum(tf.mul(tf.einsum(equation, first, ...operands.slice(1)), weights)))(x);
  const direction = await normal(x.shape as [number]);
  const change = await tf.sum(tf.mul(tf.einsum(equation, direction, ...operands.slice(1)), weights)).data();
  expect((await tf.sum(tf.mul(dx, direction)).data())[0]).toBeCloseTo(change[0]!, 3);
});

test('int32', async () => {
  const [a, b] = [tf.tensor2d([1, 2, 3, 4], [2, 2], 'int32'), tf.tensor2d([5, 6, 7, 8], [2, 2], 'int32')];
  await Promise.all([a.data(), b.data()]);
  await agree(() => [tf.einsum('ab,bc->ca', a, b)]);
});

test('an empty inner axis gives zeros', async () => {
  expect([...(await tf.einsum('ab,bc->ac', tf.zeros([2, 0]), tf.zeros([0, 3])).data())]).toEqual([0, 0, 0, 0, 0, 0]);
});

test('says what is wrong', () => {
  expect(() => tf.einsum('ab,bc->aa', tf.ones([2, 2]), tf.ones([2, 2]))).toThrow("einsum: equation 'ab,bc->aa' has a letter twice");
  expect(() => tf.einsum('ab,bc->ac', tf.ones([2, 2]), tf.ones([3, 2]))).toThrow('Expected dimension 2');
});
