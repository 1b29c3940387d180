import { add, mul, sigmoid, split, tidy, type Tensor } from '@tensorflow/tfjs-core';
import { EvenkeelError } from '@evenkeel/core';
import { checkEpsilon, checkShape } from '../checks.ts';
import { product } from '../product/op.ts';
import { accurateTanh } from '../tanh/op.ts';
import { layerNorm } from '../layer-norm/op.ts';

/** What an LSTM carries from step to step, each [batch, units]. `c` is the cell's state itself, not its normalized version. */
export interface LSTMState {
  h: Tensor;
  c: Tensor;
}

/** Gates stand in the order forget, input, output, candidate. A gamma that is left out is 1, a beta or the bias 0. */
export interface LayerNormLSTMWeights {
  /** [inputs, 4 units] */
  kernel: Tensor;
  /** [units, 4 units] */
  recurrentKernel: Tensor;
  /** [4 units] */
  bias?: Tensor | undefined;
  /** [4 units], of the normalized inputs */
  gammaX?: Tensor | undefined;
  betaX?: Tensor | undefined;
  /** [4 units], of the normalized hidden state */
  gammaH?: Tensor | undefined;
  betaH?: Tensor | undefined;
  /** [units], of the normalized cell state */
  gammaC?: Tensor | undefined;
  betaC?: Tensor | undefined;
}

export interface LayerNormRNNOptions {
  /** Added to the variances, inside the root. Default 1e-5. */
  epsilon?: number;
}

/** Throws unless x, the carried state and the two kernels fit each other; returns the number of units. */
export function checkStep(
  op: string,
  x: Tensor,
  state: Record<string, Tensor>,
  { kernel, recurrentKernel }: { kernel: Tensor; recurrentKernel: Tensor },
  gates: number,
): number {
  if (x.rank !== 2)
    throw new EvenkeelError('SHAPE', `x has shape [${x.shape.join(', ')}], expected [batch, inputs]`, { op, argument: 'x' });
  const [batch, inputs] = x.shape as [number, number];
  const units = recurrentKernel.shape[0]!;
  checkShape(op, 'recurrentKernel', recurrentKernel, [units, gates * units], `units, ${gates} units`);
  checkShape(op, 'kernel', kernel, [inputs, gates * units], `inputs, ${gates} units`);
  for (const [name, tensor] of Object.entries(state)) checkShape(op, name, tensor, [batch, units], 'batch, units');
  return units;
}

/**
 * One time step of an LSTM with layer normalization of its gate pre-activations and of the cell state, with statistics of this step:
 *
 *   z = LN(h recurrentKernel; gammaH, betaH) + LN(x kernel; gammaX, betaX) + bias
 *   c' = sigmoid(z_f) c + sigmoid(z_i) tanh(z_g)
 *   h' = sigmoid(z_o) tanh(LN(c'; gammaC, betaC))
 *
 * @param x - [batch, inputs] float32
 * @returns the state after the step, new tensors
 * @throws EvenkeelError SHAPE where the tensors do not fit each other, INVALID_ARGUMENT for epsilon <= 0
 *
 * Source: Ba, Kiros, Hinton 2016, "Layer Normalization", supplementary material.
 *
 * @example
 * let state = { h: tf.zeros([2, 5]), c: tf.zeros([2, 5]) };
 * for (const x of tf.unstack(sequence, 1)) state = layerNormLSTMStep(x, state, weights); // h [2, 5], c [2, 5]
 */
export function layerNormLSTMStep(
  x: Tensor,
  { h, c }: LSTMState,
  weights: LayerNormLSTMWeights,
  { epsilon = 1e-5 }: LayerNormRNNOptions = {},
): LSTMState {
  const op = 'layerNormLSTMStep';
  checkEpsilon(op, epsilon);
  const { kernel, recurrentKernel, bias, gammaX, betaX, gammaH, betaH, gammaC, betaC } = weights;
  const units = checkStep(op, x, { h, c }, weights, 4);
  for (const [name, weight] of Object.entries({ bias, gammaX, betaX, gammaH, betaH })) checkShape(op, name, weight, [4 * units], '4 units');
  for (const [name, weight] of Object.entries({ gammaC, betaC })) checkShape(op, name, weight, [units], 'units');
  return tidy(() => {
    const sum = add(
      layerNorm(product(h, recurrentKernel), gammaH, betaH, { epsilon }),
      layerNorm(product(x, kernel), gammaX, betaX, { epsilon }),
    );
    const [forget, input, output, candidate] = split(bias ? add(sum, bias) : sum, 4, 1) as [Tensor, Tensor, Tensor, Tensor];
    const nextC = add(mul(sigmoid(forget), c), mul(sigmoid(input), accurateTanh(candidate)));
    return { h: mul(sigmoid(output), accurateTanh(layerNorm(nextC, gammaC, betaC, { epsilon }))), c: nextC };
  });
}
