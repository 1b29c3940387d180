import { wgslKernel, type WgslKernel } from '@evenkeel/core';
import { asRows } from '../axes.ts';
import { blocksOf, gammaSums, gammaSumsShader } from '../wgsl/columns.ts';
import { itemSize } from '../wgsl/items.ts';
import { teamDispatch, teamShaders } from '../wgsl/teams.ts';
import rmsNormGrad from './rms-norm-grad.wgsl.ts';
import rmsNorm from './rms-norm.wgsl.ts';

interface Attributes {
  epsilon: number;
}

/** One dispatch. */
export const rmsNormWgsl = (): WgslKernel<Attributes> =>
  wgslKernel({
    shaders: teamShaders(rmsNorm),
    plan: ({ inputs, attrs: { epsilon } }, device) => {
      const { rows, width } = asRows(inputs['x']!.shape, 1);
      const uniforms = { rows, width: width / itemSize(width), count: width, epsilon, has_gamma: inputs['gamma'] ? 1 : 0 };
      return { dispatches: [{ ...teamDispatch(rows, width, itemSize(width), device), uniforms }] };
    },
  });

/** Two dispatches: dx with a part of dgamma for each block of rows, then the sum of the parts. */
export const rmsNormGradWgsl = (): WgslKernel<Attributes> =>
  wgslKernel({
    shaders: { ...teamShaders(rmsNormGrad), ...gammaSumsShader() },
    plan: ({ inputs, attrs: { epsilon } }, device) => {
      const { rows, width } = asRows(inputs['x']!.shape, 1);
      const { blocks, rowsPerBlock } = blocksOf(rows);
      const uniforms = {
        rows,
        width: width / itemSize(width),
        rows_per_block: rowsPerBlock,
        has_gamma: inputs['gamma'] ? 1 : 0,
        count: width,
        epsilon,
      };
      return {
        scratch: { partials: { shape: [blocks, width], dtype: 'float32' } },
        dispatches: [{ ...teamDispatch(blocks, width, itemSize(width), device), uniforms }, gammaSums(blocks, width)],
      };
    },
  });
