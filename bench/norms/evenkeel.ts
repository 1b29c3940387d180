import type { Tensor } from '@tensorflow/tfjs-core';
import { inspect } from '@evenkeel/core';
import { BatchNorm, groupNorm, L1BatchNorm, l1LayerNorm, layerNorm, rmsNorm } from '@evenkeel/norms';
import type { Arm } from '../harness/arm.ts';
import { EPSILON, NUM_GROUPS, TWINS, type BackendName, type Case, type FormulaOp, type OpName } from './cases.ts';
import { isOther, OTHERS } from './others.ts';
import { tfjsArm, type Inputs } from './tfjs.ts';

const formulas: Record<FormulaOp, (inputs: Inputs) => Tensor> = {
  layerNorm: ({ x, gamma, beta }) => layerNorm(x, gamma, beta, { epsilon: EPSILON }),
  rmsNorm: ({ x, gamma }) => rmsNorm(x, gamma, { epsilon: EPSILON }),
  batchNorm: ({ x, gamma, beta }) => BatchNorm({ x, gamma, beta }, { epsilon: EPSILON }).y,
  groupNorm: ({ x, gamma, beta }) => groupNorm(x, gamma, beta, { numGroups: NUM_GROUPS, epsilon: EPSILON }),
  l1LayerNorm: ({ x, gamma, beta }) => l1LayerNorm(x, gamma, beta, { epsilon: EPSILON }),
  l1BatchNorm: ({ x, gamma, beta }) => L1BatchNorm({ x, gamma, beta }, { epsilon: EPSILON }).y,
};

const forward = (op: OpName): ((inputs: Inputs) => Tensor) => (isOther(op) ? OTHERS[op].forward : formulas[op]);

export function evenkeel(which: Case, backend: BackendName): Promise<Arm> {
  return tfjsArm('evenkeel', which, backend, forward(which.op));
}

/** The norm by the standard deviation, where the case is one by the mean absolute deviation. It computes something else, so that it is not read. */
export async function twin(which: Case, backend: BackendName): Promise<Arm | undefined> {
  const op = TWINS[which.op];
  if (op === undefined) return undefined;
  const { read: _, ...arm } = await tfjsArm('l2-twin', { ...which, op }, backend, forward(op), { note: `our ${op}` });
  return arm;
}

/** Ops that no kernel served since the inspection was reset, each with the reason. Such a run measures the reference, not us. */
export function withoutKernel(): string[] {
  return inspect()
    .calls.filter(({ served }) => served === 'reference')
    .map(({ op, reason = 'unknown reason' }) => `${op}: ${reason}`);
}
