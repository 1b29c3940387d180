import { add, mul, sigmoid, split, sub, tidy, type Tensor } from '@tensorflow/tfjs-core';
import { checkEpsilon, checkShape } from '../checks.ts';
import { checkStep, type LayerNormRNNOptions } from '../layer-norm-lstm/lstm.ts';
import { product } from '../product/op.ts';
import { accurateTanh } from '../tanh/op.ts';
import { layerNorm } from '../layer-norm/op.ts';

/**
 * The gates reset and update stand before the candidate, whose pre-activations are normalized apart from theirs.
 * A gamma that is left out is 1, a beta or the bias 0.
 */
export interface LayerNormGRUWeights {
  /** [inputs, 3 units] */
  kernel: Tensor;
  /** [units, 3 units] */
  recurrentKernel: Tensor;
  /** [3 units] */
  bias?: Tensor | undefined;
  /** [2 units], of the gates' normalized inputs */
  gammaX?: Tensor | undefined;
  betaX?: Tensor | undefined;
  /** [2 units], of the gates' normalized hidden state */
  gammaH?: Tensor | undefined;
  betaH?: Tensor | undefined;
  /** [units], of the candidate's normalized inputs */
  gammaCandidateX?: Tensor | undefined;
  betaCandidateX?: Tensor | undefined;
  /** [units], of the candidate's normalized hidden state */
  gammaCandidateH?: Tensor | undefined;
  betaCandidateH?: Tensor | undefined;
}

/**
 * One time step of a GRU with layer normalization of its pre-activations, with statistics of this step:
 *
 *   r, u = sigmoid(LN(h U_ru; gammaH, betaH) + LN(x W_ru; gammaX, betaX) + bias_ru)
 *   candidate = tanh(LN(x W; gammaCandidateX, betaCandidateX) + r LN(h U; gammaCandidateH, betaCandidateH) + bias)
 *   h' = (1 - u) h + u candidate
 *
 * @param x - [batch, inputs] float32
 * @param h - [batch, units]
 * @returns h after the step, a new tensor
 * @throws EvenkeelError SHAPE where the tensors do not fit each other, INVALID_ARGUMENT for epsilon <= 0
 *
 * Source: Ba, Kiros, Hinton 2016, "Layer Normalization", supplementary material.
 *
 * @example
 * let h = tf.zeros([2, 5]);
 * for (const x of tf.unstack(sequence, 1)) h = layerNormGRUStep(x, h, weights); // [2, 5]
 */
export function layerNormGRUStep(x: Tensor, h: Tensor, weights: LayerNormGRUWeights, { epsilon = 1e-5 }: LayerNormRNNOptions = {}): Tensor {
  const op = 'layerNormGRUStep';
  checkEpsilon(op, epsilon);
  const { kernel, recurrentKernel, bias, gammaX, betaX, gammaH, betaH, gammaCandidateX, betaCandidateX, gammaCandidateH, betaCandidateH } =
    weights;
  const units = checkStep(op, x, { h }, weights, 3);
  checkShape(op, 'bias', bias, [3 * units], '3 units');
  for (const [name, weight] of Object.entries({ gammaX, betaX, gammaH, betaH })) checkShape(op, name, weight, [2 * units], '2 units');
  for (const [name, weight] of Object.entries({ gammaCandidateX, betaCandidateX, gammaCandidateH, betaCandidateH })) {
    checkShape(op, name, weight, [units], 'units');
  }
  return tidy(() => {
    const parts = [2 * units, units];
    const [gatesX, candidateX] = split(product(x, kernel), parts, 1) as [Tensor, Tensor];
    const [gatesH, candidateH] = split(product(h, recurrentKernel), parts, 1) as [Tensor, Tensor];
    const [gatesBias, candidateBias] = bias ? (split(bias, parts) as [Tensor, Tensor]) : [0, 0];
    const gates = add(layerNorm(gatesH, gammaH, betaH, { epsilon }), layerNorm(gatesX, gammaX, betaX, { epsilon }));
    const [reset, update] = split(sigmoid(add(gates, gatesBias)), 2, 1) as [Tensor, Tensor];
    const recurrent = mul(reset, layerNorm(candidateH, gammaCandidateH, betaCandidateH, { epsilon }));
    const inputs = add(layerNorm(candidateX, gammaCandidateX, betaCandidateX, { epsilon }), candidateBias);
    const candidate = accurateTanh(add(inputs, recurrent));
    return add(mul(sub(1, update), h), mul(update, candidate));
  });
}
