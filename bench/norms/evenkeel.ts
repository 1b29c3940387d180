import type { Tensor } from '@tensorflow/tfjs-core';
import { inspect } from '@evenkeel/core';
import { BatchNorm, groupNorm, layerNorm, rmsNorm } from '@evenkeel/norms';
import type { Arm } from '../harness/arm.ts';
import { EPSILON, NUM_GROUPS, type BackendName, type Case, type OpName } from './cases.ts';
import { tfjsArm, type Inputs } from './tfjs.ts';

const forward: Record<OpName, (inputs: Inputs) => Tensor> = {
  layerNorm: ({ x, gamma, beta }) => layerNorm(x, gamma, beta, { epsilon: EPSILON }),
  rmsNorm: ({ x, gamma }) => rmsNorm(x, gamma, { epsilon: EPSILON }),
  batchNorm: ({ x, gamma, beta }) => BatchNorm({ x, gamma, beta }, { epsilon: EPSILON }).y,
  groupNorm: ({ x, gamma, beta }) => groupNorm(x, gamma, beta, { numGroups: NUM_GROUPS, epsilon: EPSILON }),
};

export function evenkeel(which: Case, backend: BackendName): Promise<Arm> {
  return tfjsArm('evenkeel', which, backend, forward[which.op]);
}

/** Ops that no kernel served since the inspection was reset, each with the reason. Such a run measures the reference, not us. */
export function withoutKernel(): string[] {
  return inspect()
    .calls.filter(({ served }) => served === 'reference')
    .map(({ op, reason = 'unknown reason' }) => `${op}: ${reason}`);
}
