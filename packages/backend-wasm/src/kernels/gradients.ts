// Gradients that tfjs does not have, written in tfjs' own ops: right on every backend.
import {
  broadcastTo,
  einsum,
  getGradient,
  registerGradient,
  reshape,
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

/** Adds what is missing; what somebody registered stays. */
export function completeGradients(): void {
  for (const gradient of [einsumGradient]) {
    if (getGradient(gradient.kernelName) === undefined) registerGradient(gradient);
  }
}
