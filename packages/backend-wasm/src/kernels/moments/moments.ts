import { sizeOf } from '@evenkeel/core';
import type { Module, Standin } from '../frame.ts';
import simd from './moments.wasm.ts';

const module: Module = { simd };

type Moments = 'rows' | 'columns' | 'norms';

/** Ours: mean and variance of x [outer, count, inner] over its middle axis; two results of [outer, inner]. */
export const moments: Standin = {
  name: 'EvenkeelMoments',
  run: ({ x }, _, frame) => {
    const [outer, count, inner] = x!.shape as [number, number, number];
    const [mean, variance] = [frame.output([outer, inner]), frame.output([outer, inner])];
    const kernels = frame.functions<Moments>(module);
    if (sizeOf(mean.shape) === 0) return [mean, variance];
    const [from, toMean, toVariance] = [frame.address(x), frame.address(mean), frame.address(variance)];
    if (inner === 1) kernels.rows(from, toMean, toVariance, outer, count);
    else kernels.columns(from, toMean, toVariance, outer, count, inner, frame.scratch(inner * 16));
    return [mean, variance];
  },
};

/** Ours: Euclidean norms along the last axis, which is dropped. */
export const norms: Standin = {
  name: 'EvenkeelNorm',
  run: ({ x }, _, frame) => {
    const y = frame.output(x!.shape.slice(0, -1));
    frame.functions<Moments>(module).norms(frame.address(x), frame.address(y), sizeOf(y.shape), x!.shape.at(-1)!);
    return y;
  },
};
