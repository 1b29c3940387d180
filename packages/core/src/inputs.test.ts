import '@tensorflow/tfjs-backend-cpu';
import { memory, tensor, type Tensor } from '@tensorflow/tfjs-core';
import { afterEach, expect, test } from 'vitest';
import { failure } from '../test/failure.ts';
import { checkAttributes, checkInputs, type InputSpecs } from './inputs.ts';

const made: Tensor[] = [];
const ones = (shape: number[], dtype: 'float32' | 'int32' | 'bool' = 'float32'): Tensor => {
  const size = shape.reduce((product, length) => product * length, 1);
  made.push(
    tensor(
      Array.from({ length: size }, () => 1),
      shape,
      dtype,
    ),
  );
  return made.at(-1)!;
};
afterEach(() => {
  for (const each of made.splice(0)) each.dispose();
});

const specs: InputSpecs = {
  x: 'batch,...,n',
  gamma: { shape: 'n', optional: true },
  index: { shape: 'batch', dtype: ['int32', 'bool'], optional: true },
};

test('returns the tensors that are present, in the order of the specs', () => {
  const [x, gamma, index] = [ones([2, 5, 3]), ones([3]), ones([2], 'int32')];
  expect(Object.entries(checkInputs('Op', specs, { index, gamma, x }))).toEqual([
    ['x', x],
    ['gamma', gamma],
    ['index', index],
  ]);
  expect(Object.keys(checkInputs('Op', specs, { gamma: undefined, x, index: null }))).toEqual(['x']);
  // `...` may stand for nothing.
  expect(Object.keys(checkInputs('Op', specs, { x: ones([2, 3]) }))).toEqual(['x']);
});

test.each<[string, () => Record<string, unknown>, object]>([
  ['x is missing', () => ({}), { code: 'INVALID_ARGUMENT', argument: 'x', message: 'Op: x is missing, expected a tensor [batch,...,n]' }],
  ['an array', () => ({ x: [1, 2] }), { code: 'INVALID_ARGUMENT', message: 'Op: x is [1, 2], expected a tensor [batch,...,n]' }],
  ['a wrong rank', () => ({ x: ones([3]) }), { code: 'SHAPE', message: 'Op: x has shape [3], expected [batch, ..., n] (rank 2 or more)' }],
  [
    'a wrong rank of a fixed one',
    () => ({ x: ones([2, 3]), gamma: ones([1, 3]) }),
    { code: 'SHAPE', argument: 'gamma', message: 'Op: gamma has shape [1, 3], expected [3]' },
  ],
  [
    'a length that another input has otherwise',
    () => ({ x: ones([2, 3]), gamma: ones([4]) }),
    { code: 'SHAPE', argument: 'gamma', message: 'Op: gamma has shape [4], expected [3]: n = 3, as in x' },
  ],
  ['an int32', () => ({ x: ones([2, 3], 'int32') }), { code: 'DTYPE', argument: 'x', message: 'Op: x has dtype int32, expected float32' }],
  [
    'none of several dtypes',
    () => ({ x: ones([2, 3]), index: ones([2]) }),
    { code: 'DTYPE', argument: 'index', message: 'Op: index has dtype float32, expected int32 or bool' },
  ],
  [
    'a disposed tensor',
    () => {
      const x = ones([2, 3]);
      x.dispose();
      return { x };
    },
    { code: 'DISPOSED', argument: 'x', message: 'Op: x is disposed' },
  ],
  [
    'an unknown input',
    () => ({ x: ones([2, 3]), beta: ones([3]) }),
    { code: 'INVALID_ARGUMENT', argument: 'beta', message: 'Op: unknown input beta, expected x, gamma, index' },
  ],
])('refuses %s', (_, given, error) => {
  const inputs = given();
  const { numTensors } = memory();
  expect(failure(() => checkInputs('Op', specs, inputs))).toMatchObject({ op: 'Op', ...error });
  expect(memory().numTensors).toBe(numTensors);
});

const defaults = { epsilon: 1e-5, axes: [-1], mode: 'mean', center: true, scale: null as number | null };

test('attributes are the defaults, overwritten by what is given', () => {
  expect(checkAttributes('Op', defaults, undefined)).toBe(defaults);
  expect(checkAttributes('Op', defaults, { epsilon: 1, mode: undefined } as object)).toEqual({ ...defaults, epsilon: 1 });
  expect(checkAttributes('Op', defaults, { scale: 3 })).toEqual({ ...defaults, scale: 3 });
  expect(defaults.epsilon).toBe(1e-5);
});

test.each([
  [{ epsilom: 1 }, 'epsilom', 'Op: unknown option epsilom, expected epsilon, axes, mode, center, scale'],
  [{ toString: 1 }, 'toString', 'Op: unknown option toString, expected epsilon, axes, mode, center, scale'],
  [{ epsilon: Number.NaN }, 'epsilon', 'Op: epsilon is NaN, expected a number'],
  [{ epsilon: '1' }, 'epsilon', 'Op: epsilon is "1", expected a number'],
  [{ axes: -1 }, 'axes', 'Op: axes is -1, expected an array'],
  [{ mode: 3 }, 'mode', 'Op: mode is 3, expected a string'],
  [{ center: 0 }, 'center', 'Op: center is 0, expected a boolean'],
  [{ scale: Number.NaN }, 'scale', 'Op: scale is NaN, expected another value'],
])('refuses %o', (given, argument, message) => {
  expect(failure(() => checkAttributes('Op', defaults, given as object))).toMatchObject({
    code: 'INVALID_ARGUMENT',
    op: 'Op',
    argument,
    message,
  });
});

test('an op without attributes says that it has none', () => {
  expect(failure(() => checkAttributes('Op', {}, { a: 1 } as object)).message).toBe('Op: unknown option a, expected none');
});
