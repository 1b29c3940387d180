import { backends } from '../../../tools/test-backends.ts';
import { opcheck } from '@evenkeel/core/testing';
import { expect, test } from 'vitest';
import { AdamPStep } from './adam-p/op.ts';
import { AdamWStep } from './adam-w/op.ts';
import { LionStep } from './lion/op.ts';
import { SGDPStep } from './sgd-p/op.ts';
import { SGDWStep } from './sgd-w/op.ts';
import { SumOfSquares } from './sum-of-squares/op.ts';

const scalar = (value: number) => ({ shape: [], values: () => value });
const squares = (i: number): number => Math.sin(i) ** 2;

/** Tensors of one shape, the second moment of squares. */
function tensors(names: readonly string[], shape: number[]) {
  return Object.fromEntries(names.map((name) => [name, { shape, ...(name === 'second' && { values: squares }) }]));
}

/** A gradient that is orthogonal to each row, or to all of the value: pairs that turn each other around. */
const turned = { value: (i: number): number => 1 + (i % 2), gradient: (i: number): number => (i % 2 === 0 ? 2 : -1) };

const adam = (shape: number[]) => tensors(['value', 'gradient', 'first', 'second'], shape);
const sgd = (shape: number[]) => tensors(['value', 'gradient', 'velocity'], shape);

function orthogonal(all: ReturnType<typeof tensors>, shape: number[]) {
  return { ...all, value: { shape, values: turned.value }, gradient: { shape, values: turned.gradient } };
}

const plain = (of: (shape: number[]) => ReturnType<typeof tensors>, attrs: object) =>
  [
    { inputs: of([3, 5]), attrs, gradient: false },
    { inputs: of([2, 3, 3, 7]), attrs: { ...attrs, weightDecay: 0.1 }, gradient: false },
    { inputs: of([67]), attrs, gradient: false },
    { inputs: of([]), attrs, gradient: false },
    { name: 'a scaled gradient', inputs: { ...of([9, 4]), scale: scalar(0.25) }, attrs, gradient: false },
    { name: 'a scale that is NaN', inputs: { ...of([9, 5]), scale: scalar(Number.NaN) }, attrs, gradient: false },
    { name: 'a scale that is infinite', inputs: { ...of([9, 5]), scale: scalar(Infinity) }, attrs, gradient: false },
    { inputs: { ...of([3, 5]), gradient: { shape: [5, 3] } }, attrs, throws: { code: 'SHAPE', argument: 'gradient' } },
    { inputs: { ...of([3, 5]), scale: { shape: [1] } }, attrs, throws: { code: 'SHAPE', argument: 'scale' } },
    { inputs: of([3, 5]), attrs: { ...attrs, learningRate: -1 }, throws: { code: 'INVALID_ARGUMENT', argument: 'learningRate' } },
    { inputs: of([3, 5]), attrs: { ...attrs, learningRate: Number.NaN }, throws: { code: 'INVALID_ARGUMENT', argument: 'learningRate' } },
    { inputs: of([3, 5]), attrs: { ...attrs, weightDecay: -1 }, throws: { code: 'INVALID_ARGUMENT', argument: 'weightDecay' } },
  ] as const;

const projected = (of: (shape: number[]) => ReturnType<typeof tensors>, attrs: object) =>
  [
    ...plain(of, attrs).filter(({ inputs }) => (inputs as ReturnType<typeof tensors>)['value']!.shape.length > 0),
    { name: 'rows last', inputs: orthogonal(of([6, 5]), [6, 5]), attrs: { ...attrs, weightDecay: 0.1, channelAxes: [0] }, gradient: false },
    {
      name: 'projected',
      inputs: orthogonal(of([4, 3, 8]), [4, 3, 8]),
      attrs: { ...attrs, delta: 0.5, channelAxes: [0, 1] },
      gradient: false,
    },
    { name: 'as a whole', inputs: orthogonal(of([4, 6]), [4, 6]), attrs: { ...attrs, delta: 0.4 }, gradient: false },
    { name: 'always', inputs: of([5, 9]), attrs: { ...attrs, delta: 1e3, weightDecay: 0.1 }, gradient: false },
    { name: 'always, within', inputs: of([2, 5, 3]), attrs: { ...attrs, delta: 1e3, channelAxes: [1] }, gradient: false },
    { name: 'row by row', inputs: of([3, 21]), attrs: { ...attrs, granularity: 'row', delta: 0.7, weightDecay: 0.1 }, gradient: false },
    {
      name: 'row by row, within',
      inputs: of([21, 6]),
      attrs: { ...attrs, granularity: 'row', delta: 0.7, channelAxes: [0] },
      gradient: false,
    },
    { name: 'never', inputs: orthogonal(of([4, 6]), [4, 6]), attrs: { ...attrs, delta: 0 }, gradient: false },
    { name: 'more channels than a workgroup', inputs: of([3, 300]), attrs: { ...attrs, delta: 1e3 }, gradient: false },
    { name: 'a weight of zeros', inputs: { ...of([3, 5]), value: { shape: [3, 5], values: () => 0 } }, attrs, gradient: false },
    {
      name: 'a gradient of zeros',
      inputs: { ...of([3, 5]), gradient: { shape: [3, 5], values: () => 0 } },
      attrs: { ...attrs, weightDecay: 0.1 },
      gradient: false,
    },
    { inputs: of([3, 5]), attrs: { ...attrs, channelAxes: [2] }, throws: { code: 'INVALID_ARGUMENT', argument: 'channelAxes' } },
    { inputs: of([3, 5]), attrs: { ...attrs, channelAxes: [1, 0] }, throws: { code: 'INVALID_ARGUMENT', argument: 'channelAxes' } },
    { inputs: of([3, 5]), attrs: { ...attrs, delta: -1 }, throws: { code: 'INVALID_ARGUMENT', argument: 'delta' } },
    { inputs: of([3, 5]), attrs: { ...attrs, wdRatio: 2 }, throws: { code: 'INVALID_ARGUMENT', argument: 'wdRatio' } },
  ] as const;

test('AdamWStep', async () => {
  await opcheck(
    AdamWStep,
    [
      ...plain(adam, { step: 3 }),
      { inputs: adam([4, 9]), attrs: { nesterov: true, step: 1, weightDecay: 0.1 }, gradient: false },
      { inputs: adam([3, 5]), attrs: { beta1: 1 }, throws: { code: 'INVALID_ARGUMENT', argument: 'beta1' } },
      { inputs: adam([3, 5]), attrs: { beta2: -0.1 }, throws: { code: 'INVALID_ARGUMENT', argument: 'beta2' } },
      { inputs: adam([3, 5]), attrs: { epsilon: 0 }, throws: { code: 'INVALID_ARGUMENT', argument: 'epsilon' } },
      { inputs: adam([3, 5]), attrs: { step: 0 }, throws: { code: 'INVALID_ARGUMENT', argument: 'step' } },
    ],
    { backends },
  );
});

test('SGDWStep', async () => {
  await opcheck(
    SGDWStep,
    [
      ...plain(sgd, { momentum: 0.9 }),
      { inputs: sgd([4, 9]), attrs: { nesterov: true, momentum: 0.9, dampening: 0.1 }, gradient: false },
      { inputs: sgd([3, 5]), attrs: { momentum: 1 }, throws: { code: 'INVALID_ARGUMENT', argument: 'momentum' } },
      { inputs: sgd([3, 5]), attrs: { nesterov: true }, throws: { code: 'INVALID_ARGUMENT', argument: 'momentum' } },
    ],
    { backends },
  );
});

test('LionStep', async () => {
  await opcheck(LionStep, [...plain((shape) => tensors(['value', 'gradient', 'momentum'], shape), { learningRate: 0.01 })], { backends });
});

test('AdamPStep', async () => {
  await opcheck(
    AdamPStep,
    [...projected(adam, { step: 3 }), { inputs: adam([4, 9]), attrs: { nesterov: true, delta: 1e3, weightDecay: 0.1 }, gradient: false }],
    { backends },
  );
});

test('SGDPStep', async () => {
  await opcheck(
    SGDPStep,
    [
      ...projected(sgd, { momentum: 0.9, learningRate: 0.1 }),
      { inputs: sgd([4, 9]), attrs: { nesterov: true, momentum: 0.9, dampening: 0.1, delta: 1e3, weightDecay: 0.1 }, gradient: false },
      { inputs: sgd([4, 9]), attrs: { momentum: 0.9, delta: 1e3, projectMomentumBuffer: false }, gradient: false },
    ],
    { backends },
  );
  expect(SGDPStep.id).toBe('@evenkeel/optim/SGDPStep');
});

test('SumOfSquares', async () => {
  await opcheck(
    SumOfSquares,
    [
      { inputs: { x: { shape: [3, 5] } }, gradient: false },
      { inputs: { x: { shape: [] } }, gradient: false },
      { inputs: { x: { shape: [3, 4097] } }, gradient: false },
      { name: 'NaN', inputs: { x: { shape: [9], values: (i) => (i === 7 ? Number.NaN : i) } }, gradient: false },
      { name: 'an infinity', inputs: { x: { shape: [70], values: (i) => (i === 3 ? -Infinity : i) } }, gradient: false },
    ],
    { backends },
  );
});
