import { checkDecay, checkEpsilon, checkRate, checkShare, checkStep } from '../gate.ts';

/** Attributes of a step of Adam. */
export interface AdamAttributes {
  learningRate: number;
  /** How many steps there have been, this one included. */
  step: number;
  beta1: number;
  beta2: number;
  epsilon: number;
  weightDecay: number;
  nesterov: boolean;
}

export const adamDefaults: AdamAttributes = {
  learningRate: 1e-3,
  step: 1,
  beta1: 0.9,
  beta2: 0.999,
  epsilon: 1e-8,
  weightDecay: 0,
  nesterov: false,
};

export function checkAdam(op: string, { learningRate, step, beta1, beta2, epsilon, weightDecay }: AdamAttributes): void {
  checkRate(op, learningRate);
  checkStep(op, step);
  checkShare(op, 'beta1', beta1);
  checkShare(op, 'beta2', beta2);
  checkEpsilon(op, epsilon);
  checkDecay(op, weightDecay);
}

/** The factors that kernels want of a step: of double precision, since 1 - beta2 in float32 has three digits. */
export function adamFactors({ learningRate, step, beta1, beta2, epsilon, nesterov }: AdamAttributes) {
  return {
    beta1,
    gain1: 1 - beta1,
    beta2,
    gain2: 1 - beta2,
    // The step is (ahead first + now gradient) / (spread sqrt(second) + epsilon).
    ahead: nesterov ? beta1 : 1,
    now: nesterov ? 1 - beta1 : 0,
    spread: 1 / Math.sqrt(1 - beta2 ** step),
    epsilon,
    rate: learningRate / (1 - beta1 ** step),
  };
}
