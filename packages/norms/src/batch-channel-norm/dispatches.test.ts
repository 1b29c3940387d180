import '../../../../tools/test-backends.ts';
import { tidy } from '@tensorflow/tfjs-core';
import { backend } from '@evenkeel/core';
import { counters, resetCounters } from '@evenkeel/backend-webgpu';
import { expect, test } from 'vitest';
import { batchChannelNormDispatches } from '../../test/batch-channel-norm.wgsl-cases.ts';
import { make } from '../../test/devices.ts';

test.each(batchChannelNormDispatches.map(([op, each, wanted]) => [op.definition.name, op, each, wanted] as const))(
  '%s takes as many dispatches as it should',
  async (_, op, each, wanted) => {
    await backend('webgpu');
    tidy(() => {
      const inputs = make(each);
      resetCounters();
      op(inputs, each.attrs);
    });
    expect(counters().dispatches).toBe(wanted);
  },
);
