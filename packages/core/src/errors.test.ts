import { tensor } from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import { expect, test } from 'vitest';
import { failure } from '../test/failure.ts';
import { EvenkeelError, expect as require, isEvenkeelError, show } from './errors.ts';

test('an error says where it belongs', () => {
  const cause = new Error('the cause');
  const error = new EvenkeelError('SHAPE', 'gamma is wrong', { op: 'layerNorm', argument: 'gamma', cause });
  expect(error).toMatchObject({
    name: 'EvenkeelError',
    code: 'SHAPE',
    op: 'layerNorm',
    argument: 'gamma',
    message: 'layerNorm: gamma is wrong',
  });
  expect(error.cause).toBe(cause);
  expect(new EvenkeelError('ABORTED', 'plain')).toMatchObject({ message: 'plain', op: undefined, argument: undefined });
  expect('cause' in new EvenkeelError('ABORTED', 'plain')).toBe(false);
});

test('is told by its code, whatever class it is of', () => {
  const foreign = Object.assign(new Error('of another copy'), { name: 'EvenkeelError', code: 'DTYPE' });
  expect(isEvenkeelError(foreign)).toBe(true);
  expect(isEvenkeelError(foreign, 'DTYPE')).toBe(true);
  expect(isEvenkeelError(foreign, 'SHAPE')).toBe(false);
  expect(isEvenkeelError(new Error('x'))).toBe(false);
  expect(isEvenkeelError({ name: 'EvenkeelError', code: 'DTYPE' })).toBe(false);
});

test.each([
  ['text', '"text"'],
  ['x'.repeat(80), `"${'x'.repeat(57)}..."`],
  [Number.NaN, 'NaN'],
  [null, 'null'],
  [undefined, 'undefined'],
  [[1, 'a'], '[1, "a"]'],
  [Array.from({ length: 9 }, () => 0), 'array of 9'],
  [function named() {}, 'function named'],
  [new Map(), 'Map'],
  [Object.create(null), 'object'],
])('shows %o as %s', (value, text) => {
  expect(show(value)).toBe(text);
});

test('shows a tensor by dtype and shape, never its values', () => {
  const x = tensor([[1, 2]]);
  expect(show(x)).toBe('float32 tensor [1, 2]');
  x.dispose();
});

test('expect throws unless its condition holds', () => {
  require(true, 'op', 'n', 'a number', 1);
  expect(failure(() => require(false, 'op', 'n', 'a number > 0', -1))).toMatchObject({
    code: 'INVALID_ARGUMENT',
    argument: 'n',
    message: 'op: n is -1, expected a number > 0',
  });
  expect(failure(() => require(false, 'op', 'n', 'a number', 'x', 'DTYPE')).code).toBe('DTYPE');
});
