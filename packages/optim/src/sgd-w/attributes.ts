import { expect } from '@evenkeel/core';
import { checkDecay, checkRate, checkShare } from '../gate.ts';

/** Attributes of a step of SGD with momentum. */
export interface SGDAttributes {
  learningRate: number;
  momentum: number;
  /** What of the gradient does not go into the velocity. */
  dampening: number;
  weightDecay: number;
  nesterov: boolean;
}

export const sgdDefaults: SGDAttributes = { learningRate: 0.01, momentum: 0, dampening: 0, weightDecay: 0, nesterov: false };

export function checkSGD(op: string, { learningRate, momentum, dampening, weightDecay, nesterov }: SGDAttributes): void {
  checkRate(op, learningRate);
  checkShare(op, 'momentum', momentum);
  expect(dampening >= 0 && dampening <= 1, op, 'dampening', 'a number in [0, 1]', dampening);
  checkDecay(op, weightDecay);
  expect(!nesterov || momentum > 0, op, 'momentum', 'a number in (0, 1) with nesterov', momentum);
}

/** The factors that kernels want: the step is ahead velocity + now gradient. */
export const sgdFactors = ({ momentum, dampening, nesterov }: SGDAttributes) => ({
  momentum,
  gain: 1 - dampening,
  ahead: nesterov ? momentum : 1,
  now: nesterov ? 1 : 0,
});
