import { sizeOf } from '@evenkeel/core';
import type { Module, Standin } from '../frame.ts';
import simd from './segment-sum.wasm.ts';

const module: Module = { simd };

/** Sums of slices of x by segment, which tfjs has not on 'wasm': the gradient of gather, so of every embedding. */
export const unsortedSegmentSum: Standin = {
  name: 'UnsortedSegmentSum',
  serves: ({ x, segmentIds }) =>
    (x!.dtype === 'float32' || x!.dtype === 'int32') && segmentIds!.dtype === 'int32' && segmentIds!.shape.length === 1,
  run: ({ x, segmentIds }, attrs, frame) => {
    const segments = Number(attrs['numSegments']);
    const y = frame.output([segments, ...x!.shape.slice(1)], x!.dtype);
    if (sizeOf(y.shape) === 0) return y;
    const [n, ...slice] = x!.shape as [number, ...number[]];
    const { sumFloats, sumIntegers } = frame.functions<'sumFloats' | 'sumIntegers'>(module);
    const sum = x!.dtype === 'float32' ? sumFloats : sumIntegers;
    sum(frame.address(x), frame.address(segmentIds), n, sizeOf(slice), segments, frame.address(y));
    return y;
  },
};
