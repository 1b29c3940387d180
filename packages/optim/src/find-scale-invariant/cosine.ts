import { sizeOf } from '@evenkeel/core';
import { channelLayout, type ChannelLayout } from '../projection/layout.ts';
import { channelAxesOf } from '../optimizer/groups.ts';
import type { Invariance } from './graph.ts';

/** Rows of a weight: output channels, or tokens. */
export function rowsOf(name: string, shape: readonly number[]): ChannelLayout {
  return channelLayout('findScaleInvariant', shape, channelAxesOf(name));
}

/** The row of element i. */
export const rowAt = ({ channels, inner }: ChannelLayout, i: number): number => Math.floor(i / inner) % channels;

/** What the test of AdamP finds (Heo et al. 2021, section 4): |cos(w, g)| sqrt(elements), the largest of all rows and that of the whole. */
export interface Cosines {
  readonly row: number;
  readonly whole: number;
}

const EPSILON = 1e-8;

export function cosinesOf(layout: ChannelLayout, weight: Float32Array, gradient: Float32Array): Cosines {
  const { channels } = layout;
  const sums = Array.from({ length: channels + 1 }, () => ({ ww: 0, gg: 0, gw: 0 }));
  weight.forEach((w, i) => {
    const g = gradient[i]!;
    for (const sum of [sums[rowAt(layout, i)]!, sums[channels]!]) {
      sum.ww += w * w;
      sum.gg += g * g;
      sum.gw += g * w;
    }
  });
  const size = sizeOf([layout.outer, channels, layout.inner]);
  const cosines = sums.map(({ ww, gg, gw }) => Math.abs(gw) / (Math.max(Math.sqrt(gg), EPSILON) * Math.max(Math.sqrt(ww), EPSILON)));
  const whole = cosines.pop()! * Math.sqrt(size);
  return { row: Math.max(...cosines) * Math.sqrt(size / channels), whole };
}

export const byCosines = ({ row, whole }: Cosines, delta: number): Invariance =>
  row < delta ? 'channel' : whole < delta ? 'layer' : 'none';
