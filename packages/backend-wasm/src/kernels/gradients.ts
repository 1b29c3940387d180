// Gradients that tfjs does not have, written in tfjs' own ops: right on every backend.
import {
  add,
  broadcastTo,
  div,
  divNoNan,
  einsum,
  engine,
  expandDims,
  getGradient,
  mean,
  mul,
  registerGradient,
  reshape,
  softmax,
  sub,
  transpose,
  type GradConfig,
  type Tensor,
} from '@tensorflow/tfjs-core';

/** The gradient of one operand: dy times the other one, over what is left; axes that were summed in this operand alone are broadcast. */
function operandGradient(dy: Tensor, result: string, operand: Tensor, labels: string, other?: { tensor: Tensor; labels: string }): Tensor {
  const reached = [...labels].filter((label) => result.includes(label) || other?.labels.includes(label));
  const partial = other
    ? einsum(`${result},${other.labels}->${reached.join('')}`, dy, other.tensor)
    : transpose(
        dy,
        reached.map((label) => result.indexOf(label)),
      );
  if (reached.length === labels.length) return partial;
  const shape = [...labels].map((label, axis) => (reached.includes(label) ? operand.shape[axis]! : 1));
  return broadcastTo(reshape(partial, shape), operand.shape as [number]);
}

const einsumGradient: GradConfig = {
  kernelName: 'Einsum',
  saveAllInputs: true,
  gradFunc: (dy, saved, attrs) => {
    const [terms, result] = String(attrs['equation']).replaceAll(/\s/g, '').split('->') as [string, string];
    const labels = terms.split(',');
    // tfjs has the operands of einsum in an array, whose indices are the inputs' names.
    const gradients = saved.map((operand, i) => {
      const other = saved[1 - i];
      return [i, () => operandGradient(dy as Tensor, result, operand, labels[i]!, other && { tensor: other, labels: labels[1 - i]! })];
    });
    return Object.fromEntries(gradients);
  },
};

// What a kernel gave is computed anew rather than saved: tfjs' tape has saved results in an order that spoils second derivatives.

/** x [outer, count, inner] and the gradients of its mean and variance, [outer, inner]. */
const momentsGradient: GradConfig = {
  kernelName: 'EvenkeelMoments',
  inputsToSave: ['x'],
  gradFunc: (dys, [x]) => {
    const [dMean, dVariance] = (dys as Tensor[]).map((dy) => expandDims(dy, 1)) as [Tensor, Tensor];
    const count = x!.shape[1]!;
    return {
      x: () => add(div(dMean, count), mul(mul(dVariance, 2 / count), sub(x!, mean(x!, 1, true)))),
    };
  },
};

/** x [rows, n]: the gradient is softmax times dy. */
const logSumExpGradient: GradConfig = {
  kernelName: 'EvenkeelLogSumExp',
  inputsToSave: ['x'],
  gradFunc: (dy, [x]) => ({ x: () => mul(softmax(x!), expandDims(dy as Tensor, -1)) }),
};

/** x [rows, n]: dy x / |x|, and 0 where |x| is. */
const normGradient: GradConfig = {
  kernelName: 'EvenkeelNorm',
  inputsToSave: ['x'],
  gradFunc: (dy, [x]) => ({
    x: () => mul(x!, expandDims(divNoNan(dy as Tensor, engine().runKernel('EvenkeelNorm', { x: x! }) as Tensor), -1)),
  }),
};

/** Adds what is missing; what somebody registered stays. */
export function completeGradients(): void {
  for (const gradient of [einsumGradient, momentsGradient, logSumExpGradient, normGradient]) {
    if (getGradient(gradient.kernelName) === undefined) registerGradient(gradient);
  }
}
