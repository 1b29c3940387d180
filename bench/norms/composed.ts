import type { Tensor } from '@tensorflow/tfjs-core';
import { BatchNorm, GroupNorm, L1BatchNorm, L1LayerNorm, LayerNorm, RMSNorm } from '@evenkeel/norms';
import type { Arm } from '../harness/arm.ts';
import { stock } from './backends.ts';
import { EPSILON, NUM_GROUPS, type BackendName, type Case, type OpName } from './cases.ts';
import { tfjsArm, type Inputs } from './tfjs.ts';

const L1 = { epsilon: EPSILON, gaussianScale: false, gradFloor: 0 };

/** The ops' references: what one writes by hand with tfjs-core. */
const forward: Record<OpName, (inputs: Inputs) => Tensor> = {
  layerNorm: (inputs) => LayerNorm.definition.reference(inputs, { axes: [-1], epsilon: EPSILON }),
  rmsNorm: (inputs) => RMSNorm.definition.reference(inputs, { epsilon: EPSILON }),
  batchNorm: (inputs) => BatchNorm.definition.reference(inputs, { epsilon: EPSILON }).y,
  groupNorm: (inputs) => GroupNorm.definition.reference(inputs, { numGroups: NUM_GROUPS, epsilon: EPSILON }),
  l1LayerNorm: (inputs) => L1LayerNorm.definition.reference(inputs, { ...L1, axes: [-1] }),
  l1BatchNorm: (inputs) => L1BatchNorm.definition.reference(inputs, L1).y,
};

export function composed(which: Case, backend: BackendName): Promise<Arm> {
  return tfjsArm('composed', which, stock(backend), forward[which.op], { note: 'of tfjs ops, on tfjs as it is' });
}

/** The same on our WASM engine, whose kernels stand in for some of tfjs'. */
export function composedHere(which: Case, backend: BackendName): Promise<Arm> {
  return tfjsArm('composed-here', which, backend, forward[which.op], { note: 'of tfjs ops, on our engine' });
}
