import type { ChannelLayout } from './layout.ts';
import type { ProjectionOptions } from './projection.ts';

/** Bytes of the four sums of each channel, which have four lanes where a channel is a run of memory. */
export const sumsBytes = ({ channels, inner }: ChannelLayout): number => 16 * channels * (inner === 1 ? 1 : 4);

/** The projection's constants in the order in which kernels take them. */
export const projectionConstants = ({ epsilon, delta, wdRatio, granularity }: ProjectionOptions): number[] => [
  epsilon,
  delta,
  wdRatio,
  granularity === 'row' ? 1 : 0,
];
