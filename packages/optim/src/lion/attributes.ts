import { checkDecay, checkRate, checkShare } from '../gate.ts';

/** Attributes of a step of Lion. */
export interface LionAttributes {
  learningRate: number;
  /** The share of the momentum in the step. */
  beta1: number;
  /** The share of the momentum that is kept. */
  beta2: number;
  weightDecay: number;
}

export const lionDefaults: LionAttributes = { learningRate: 1e-4, beta1: 0.9, beta2: 0.99, weightDecay: 0 };

export function checkLion(op: string, { learningRate, beta1, beta2, weightDecay }: LionAttributes): void {
  checkRate(op, learningRate);
  checkShare(op, 'beta1', beta1);
  checkShare(op, 'beta2', beta2);
  checkDecay(op, weightDecay);
}
