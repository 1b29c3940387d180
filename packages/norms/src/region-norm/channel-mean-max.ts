// What RN-L looks for regions in: mean and maximum of the channels, pixel by pixel, in one sweep.
import { add, argMax, concat, equal, expandDims, max, mean, mul, range, slice, where, type Tensor } from '@tensorflow/tfjs-core';
import { defineOp } from '@evenkeel/core';
import { checkReduced, checkShape } from '../checks.ts';
import { owner } from '../owner.ts';
import { channelMeanMaxGradWasm, channelMeanMaxWasm } from './channel-mean-max-wasm.ts';
import { channelMeanMaxGradWgsl, channelMeanMaxWgsl } from './channel-mean-max-wgsl.ts';
import { detached } from './detached.ts';

type Spec = { shape: number[]; dtype: 'float32' };
const two = ({ x }: { x: Tensor }): Spec => ({ shape: [...x.shape.slice(0, -1), 2], dtype: 'float32' });

/** dx = dmean / channels, and dmax on top at the first maximum. */
export const ChannelMeanMaxGrad = /* @__PURE__ */ defineOp({
  name: 'ChannelMeanMaxGrad',
  owner,
  inputs: { x: 'batch,...,c', dy: 'batch,...,two' },
  check: ({ x, dy }) => checkShape('ChannelMeanMaxGrad', 'dy', dy, two({ x }).shape, 'a mean and a maximum for each pixel of x'),
  outputs: { dx: ({ x }) => ({ shape: x.shape, dtype: 'float32' }) },
  reference: ({ x, dy }) => {
    const channels = x.shape.at(-1)!;
    const part = (which: number): Tensor => slice(dy, [...x.shape.slice(0, -1).map(() => 0), which], [...x.shape.slice(0, -1), 1]);
    const first = detached(() => where(equal(expandDims(argMax(x, -1), -1), range(0, channels, 1, 'int32')), 1, 0));
    return { dx: add(mul(part(0), 1 / channels), mul(part(1), first)) };
  },
  kernels: () => [channelMeanMaxGradWgsl(), channelMeanMaxGradWasm()],
});

/** [..., 2]: mean and maximum over the channels. The gradient of a maximum that stands several times goes to the first. */
export const ChannelMeanMax = /* @__PURE__ */ defineOp({
  name: 'ChannelMeanMax',
  owner,
  inputs: { x: 'batch,...,c' },
  check: ({ x }) => checkReduced('ChannelMeanMax', x, [x.rank - 1]),
  output: two,
  reference: ({ x }) => concat([mean(x, -1, true), max(x, -1, true)], -1),
  gradient: (dy, { x }) => ({ x: ChannelMeanMaxGrad({ x, dy }).dx }),
  kernels: () => [channelMeanMaxWgsl(), channelMeanMaxWasm()],
});
