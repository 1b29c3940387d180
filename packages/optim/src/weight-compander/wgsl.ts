import { sizeOf, wgslKernel, type WgslKernel } from '@evenkeel/core';
import arctangent from './arctangent.wgsl.ts';
import gradient from './compander-grad.wgsl.ts';
import slope from './compander-slope.wgsl.ts';
import sums from './compander-sums.wgsl.ts';
import forward from './compander.wgsl.ts';
import type { CompanderAttributes, LearnableAttributes } from './op.ts';
import { supports } from './supports.ts';

/** Weights that a workgroup sums over at least, and into how many sums at most. */
const PER_BLOCK = 2048;
const MOST_BLOCKS = 256;

/** One dispatch, a weight a thread. */
function each<A extends CompanderAttributes>(code: string): WgslKernel<A> {
  return wgslKernel({
    shaders: { each: { code: `${code}${arctangent}` } },
    supports,
    plan: ({ inputs }) => {
      const count = sizeOf(inputs['v']!.shape);
      return { dispatches: [{ shader: 'each', uniforms: { count }, workgroups: Math.ceil(count / 64) }] };
    },
  });
}

export const companderWgsl = (): WgslKernel<LearnableAttributes> => each(forward);

export const companderSlopeWgsl = (): WgslKernel<CompanderAttributes> => each(slope);

/** Two dispatches: gradients of weights with the sums of each block of them, then the sums of these. */
export const companderGradWgsl = (): WgslKernel<CompanderAttributes> =>
  wgslKernel({
    shaders: { gradient: { code: `${gradient}${arctangent}` }, sums: { code: sums } },
    supports,
    plan: ({ inputs }) => {
      const count = sizeOf(inputs['v']!.shape);
      const perBlock = Math.max(PER_BLOCK, Math.ceil(count / MOST_BLOCKS));
      const blocks = Math.ceil(count / perBlock);
      return {
        scratch: { partials: { shape: [blocks, 2], dtype: 'float32' } },
        dispatches: [
          { shader: 'gradient', uniforms: { count, per_block: perBlock }, workgroups: blocks },
          { shader: 'sums', uniforms: { blocks }, workgroups: 1 },
        ],
      };
    },
  });
