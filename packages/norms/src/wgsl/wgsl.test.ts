// What is special to webgpu: how many dispatches an op takes, devices without subgroups or with others, sizes that need a second dimension
// of workgroups. What holds on all backends is in the norms' own tests.
import '../../../../tools/test-backends.ts';
import { setBackend, tensor, tidy, type Tensor } from '@tensorflow/tfjs-core';
import { backend, compile, type AnyOp } from '@evenkeel/core';
import { counters, resetCounters } from '@evenkeel/backend-webgpu';
import { beforeAll, describe, expect, test } from 'vitest';
import { disagreement, onDevice, pretences, type Case } from '../../test/devices.ts';
import { noise } from '../../test/host.ts';
import { affine, cases, manyRows, statistics } from '../../test/wgsl-cases.ts';
import { BatchNorm, BatchNormGrad, BatchNormInference, BatchNormInferenceGrad } from '../batch-norm/op.ts';
import { AddCRMSNorm, CRMSNorm, CRMSNormGrad } from '../crms-norm/op.ts';
import { EvoNormB, EvoNormBGrad, EvoNormBInference, EvoNormBInferenceGrad, EvoNormS, EvoNormSGrad } from '../evo-norm/index.ts';
import { GroupNorm, GroupNormGrad } from '../group-norm/op.ts';
import { L1BatchNorm, L1BatchNormGrad } from '../l1-batch-norm/op.ts';
import { L1LayerNorm, L1LayerNormGrad } from '../l1-layer-norm/op.ts';
import { AddLayerNorm, LayerNorm, LayerNormGrad } from '../layer-norm/op.ts';
import { norms } from '../plugin.ts';
import { AddRMSNorm, RMSNorm, RMSNormGrad } from '../rms-norm/op.ts';
import { ConditionalNorm, ConditionalNormGrad } from '../time-dependent-norm/op.ts';
import { UnMixNorm, UnMixNormGrad } from '../unmix-tns/op.ts';

beforeAll(async () => {
  await backend('webgpu');
});

describe.each(Object.keys(pretences))('on a device with %s', (name) => {
  test.each(cases.map(([op, each]) => [op.definition.name, op, each] as const))('%s agrees with its reference', async (_, op, each) => {
    await onDevice([op], pretences[name]!, async () => {
      for (const one of each) {
        // A barrier for each row takes SwiftShader minutes: one such case is below.
        if (name === 'no subgroups' && one.inputs['x'] === manyRows) continue;
        expect(await disagreement(op, one), JSON.stringify(one)).toBeLessThan(2e-4);
      }
    });
  });
});

test('more workgroups than one dimension takes, without subgroups', async () => {
  await onDevice([RMSNorm], pretences['no subgroups']!, async () => {
    expect(await disagreement(RMSNorm, { inputs: { x: [66_000, 4] } })).toBeLessThan(2e-4);
  });
});

test('all kernels compile', async () => {
  await compile(norms);
});

const filled = (shape: number[], seed = 1): Tensor =>
  tensor(
    noise(
      shape.reduce((a, b) => a * b),
      seed,
    ),
    shape,
  );

test.each<[string, AnyOp, Case, number]>([
  ['LayerNorm', LayerNorm, { inputs: affine([40, 24], 'gamma', 'beta') }, 1],
  ['AddLayerNorm', AddLayerNorm, { inputs: affine([40, 24], 'residual', 'gamma', 'beta') }, 1],
  ['LayerNormGrad', LayerNormGrad, { inputs: affine([40, 24], 'dy', 'gamma') }, 2],
  ['RMSNorm', RMSNorm, { inputs: affine([40, 24], 'gamma') }, 1],
  ['RMSNormGrad', RMSNormGrad, { inputs: affine([40, 24], 'dy', 'gamma') }, 2],
  ['AddRMSNorm', AddRMSNorm, { inputs: affine([40, 24], 'residual', 'gamma') }, 1],
  ['LayerNorm and silu', LayerNorm, { inputs: affine([40, 24], 'gamma', 'beta'), attrs: { activation: 'silu' } }, 1],
  ['the gradient of both', LayerNormGrad, { inputs: affine([40, 24], 'dy', 'gamma', 'beta'), attrs: { activation: 'silu' } }, 2],
  ['RMSNorm and gelu', RMSNorm, { inputs: affine([40, 24], 'gamma'), attrs: { activation: 'gelu' } }, 1],
  ['GroupNorm and silu', GroupNorm, { inputs: affine([3, 7, 7, 24], 'gamma', 'beta'), attrs: { numGroups: 6, activation: 'silu' } }, 1],
  ['GroupNorm', GroupNorm, { inputs: affine([3, 7, 7, 24], 'gamma', 'beta'), attrs: { numGroups: 6 } }, 1],
  ['GroupNormGrad', GroupNormGrad, { inputs: affine([3, 7, 7, 24], 'dy', 'gamma'), attrs: { numGroups: 6 } }, 3],
  ['BatchNorm', BatchNorm, { inputs: affine([3, 7, 7, 24], 'gamma', 'beta') }, 2],
  [
    'BatchNormGrad',
    BatchNormGrad,
    { inputs: { ...affine([3, 7, 24], 'dy', 'gamma'), ...statistics(24), dmean: [24], dvariance: [24] } },
    3,
  ],
  ['BatchNormInference', BatchNormInference, { inputs: { ...affine([9, 24], 'gamma'), ...statistics(24) } }, 1],
  ['BatchNormInferenceGrad', BatchNormInferenceGrad, { inputs: { ...affine([9, 24], 'dy'), ...statistics(24) } }, 2],
  ['CRMSNorm', CRMSNorm, { inputs: affine([40, 24]) }, 1],
  ['AddCRMSNorm', AddCRMSNorm, { inputs: affine([40, 24], 'residual') }, 1],
  ['CRMSNormGrad', CRMSNormGrad, { inputs: affine([40, 24], 'dy') }, 1],
  ['L1LayerNorm', L1LayerNorm, { inputs: affine([40, 24], 'gamma', 'beta') }, 1],
  ['L1LayerNormGrad', L1LayerNormGrad, { inputs: affine([40, 24], 'dy', 'gamma') }, 2],
  // Deviations are from the mean, which all workgroups must know first.
  ['L1BatchNorm', L1BatchNorm, { inputs: affine([3, 7, 7, 24], 'gamma', 'beta') }, 3],
  [
    'L1BatchNormGrad',
    L1BatchNormGrad,
    { inputs: { ...affine([3, 7, 24], 'dy', 'gamma'), mean: [24], deviation: [24], dmean: [24], ddeviation: [24] } },
    3,
  ],
  ['ConditionalNorm', ConditionalNorm, { inputs: { x: [4, 10, 24], gamma: [4, 24], beta: [4, 24] } }, 1],
  ['ConditionalNormGrad', ConditionalNormGrad, { inputs: { x: [4, 10, 24], dy: [4, 10, 24], gamma: [4, 24] }, attrs: { samples: 4 } }, 2],
  ['EvoNormS', EvoNormS, { inputs: affine([3, 7, 7, 24], 'gamma', 'beta', 'v'), attrs: { numGroups: 6 } }, 1],
  ['EvoNormSGrad', EvoNormSGrad, { inputs: affine([3, 7, 7, 24], 'dy', 'gamma', 'v'), attrs: { numGroups: 6 } }, 3],
  ['EvoNormB', EvoNormB, { inputs: affine([3, 7, 7, 24], 'gamma', 'beta', 'v') }, 2],
  ['EvoNormBGrad', EvoNormBGrad, { inputs: { ...affine([3, 7, 24], 'dy', 'gamma'), variance: [24], dvariance: [24] } }, 5],
  ['EvoNormBInference', EvoNormBInference, { inputs: { ...affine([3, 7, 24], 'gamma'), variance: [24] } }, 2],
  ['EvoNormBInferenceGrad', EvoNormBInferenceGrad, { inputs: { ...affine([3, 7, 24], 'dy'), variance: [24] } }, 5],
  // Moments, assignment, normalization, the components' steps.
  ['UnMixNorm', UnMixNorm, { inputs: { ...affine([3, 7, 24], 'gamma', 'beta'), means: [8, 24], variances: [8, 24] } }, 4],
  ['UnMixNormGrad', UnMixNormGrad, { inputs: { ...affine([3, 7, 24], 'dy', 'gamma'), statistics: [3, 4, 24] } }, 3],
])('%s takes as many dispatches as it should', async (_, op, { inputs, attrs }, wanted) => {
  await setBackend('webgpu');
  const tensors = Object.fromEntries(Object.entries(inputs).map(([name, shape], at) => [name, filled([...shape], at + 1)]));
  resetCounters();
  tidy(() => void op(tensors, attrs));
  expect(counters().dispatches).toBe(wanted);
});
