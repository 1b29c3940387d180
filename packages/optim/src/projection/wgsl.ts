import type { KernelCall, WgslDispatch, WgslPlan, WgslShader } from '@evenkeel/core';
import { gate } from '../wgsl/gate.ts';
import isFinite from '../wgsl/is-finite.wgsl.ts';
import scale from '../wgsl/scale.wgsl.ts';
import { updateDispatch, updateUniforms } from '../wgsl/update.ts';
import decide from './decide.wgsl.ts';
import { channelLayout } from './layout.ts';
import type { ProjectionOptions } from './projection.ts';
import sums from './sums.wgsl.ts';

/** Threads that share the sums of all channels at the most, and elements that each adds up at the least. */
const MOST_THREADS = 16_384;
const LEAST_ELEMENTS = 16;

/** The shaders of an update with projection: `parts` tells `step_of`, `step` writes, both with what `update` says. */
export const projectedShaders = (parts: string, step: string, update: string): Record<string, WgslShader> => ({
  sums: { code: `${parts}${update}${scale}${sums}` },
  decide: { code: `${decide}${gate}` },
  step: { code: `${step}${update}${isFinite}` },
});

/** Three dispatches: parts of the sums, the decision, the step. `decay` is that of the step without a projection. */
export function projectedPlan(
  op: string,
  { inputs, attrs }: KernelCall<ProjectionOptions & { channelAxes: readonly number[] }>,
  factors: Readonly<Record<string, number>>,
  { rate, decay, ...others }: { rate: number; decay: number } & Readonly<Record<string, number>>,
): WgslPlan {
  const { outer, channels, inner } = channelLayout(op, inputs['value']!.shape, attrs.channelAxes);
  const elements = outer * inner;
  const blocks = Math.max(1, Math.min(Math.ceil(MOST_THREADS / channels), Math.ceil(elements / LEAST_ELEMENTS)));
  const { epsilon, delta, wdRatio, granularity } = attrs;
  const common = updateUniforms(inputs);
  const sumsDispatch: WgslDispatch = {
    shader: 'sums',
    uniforms: { ...common, outer, channels, inner, blocks, ...factors },
    workgroups: Math.ceil((blocks * channels) / 64),
  };
  const decideDispatch: WgslDispatch = {
    shader: 'decide',
    uniforms: {
      blocks,
      channels,
      by_row: granularity === 'row' ? 1 : 0,
      has_scale: common.has_scale,
      epsilon,
      row_bound: delta / Math.sqrt(elements),
      whole_bound: delta / Math.sqrt(elements * channels),
      wd_ratio: wdRatio,
      rate,
      decay,
    },
    workgroups: 1,
  };
  return {
    scratch: {
      partials: { shape: [blocks, channels, 4], dtype: 'float32' },
      factors: { shape: [channels + 1, 2], dtype: 'float32' },
    },
    dispatches: [sumsDispatch, decideDispatch, updateDispatch(inputs, { channels, inner, ...factors, rate, ...others })],
  };
}
