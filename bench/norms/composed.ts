import type { Tensor } from '@tensorflow/tfjs-core';
import { BatchNorm, GroupNorm, L1BatchNorm, L1LayerNorm, LayerNorm, RMSNorm } from '@evenkeel/norms';
import type { Arm } from '../harness/arm.ts';
import { stock } from './backends.ts';
import { EPSILON, NUM_GROUPS, type BackendName, type Case, type FormulaOp } from './cases.ts';
import { isOther, OTHERS } from './others.ts';
import { tfjsArm, type Inputs } from './tfjs.ts';

const L1 = { epsilon: EPSILON, gaussianScale: false, gradFloor: 0 };

/** The ops' references: what one writes by hand with tfjs-core. */
const formulas: Record<FormulaOp, (inputs: Inputs) => Tensor> = {
  layerNorm: (inputs) => LayerNorm.definition.reference(inputs, { axes: [-1], epsilon: EPSILON, activation: 'linear' }),
  rmsNorm: (inputs) => RMSNorm.definition.reference(inputs, { epsilon: EPSILON, activation: 'linear' }),
  batchNorm: (inputs) => BatchNorm.definition.reference(inputs, { epsilon: EPSILON }).y,
  groupNorm: (inputs) => GroupNorm.definition.reference(inputs, { numGroups: NUM_GROUPS, epsilon: EPSILON, activation: 'linear' }),
  l1LayerNorm: (inputs) => L1LayerNorm.definition.reference(inputs, { ...L1, axes: [-1] }),
  l1BatchNorm: (inputs) => L1BatchNorm.definition.reference(inputs, L1).y,
};

/** Where the method has a backward pass of its own, the gradient of what is composed is another, and not read. */
async function arm(name: string, which: Case, on: string, note: string): Promise<Arm> {
  const { op, pass } = which;
  const made = await tfjsArm(name, which, on, isOther(op) ? OTHERS[op].composed : formulas[op], { note });
  if (pass === 'forward' || !isOther(op) || !OTHERS[op].ownBackward) return made;
  const { read: _, ...unread } = made;
  return unread;
}

export const composed = (which: Case, backend: BackendName): Promise<Arm> =>
  arm('composed', which, stock(backend), 'of tfjs ops, on tfjs as it is');

/** The same on our WASM engine, whose kernels stand in for some of tfjs'. */
export const composedHere = (which: Case, backend: BackendName): Promise<Arm> =>
  arm('composed-here', which, backend, 'of tfjs ops, on our engine');

/** Of a norm and an activation in one pass: our norm, then the activation of tfjs ops, on our engine. */
export async function apart(which: Case, backend: BackendName): Promise<Arm | undefined> {
  const forward = isOther(which.op) ? OTHERS[which.op].apart : undefined;
  return forward && tfjsArm('apart', which, backend, forward, { note: 'our norm, then the activation of tfjs ops' });
}
