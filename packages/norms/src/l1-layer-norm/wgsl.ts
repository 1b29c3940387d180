import { wgslKernel, type WgslKernel } from '@evenkeel/core';
import { asRows } from '../axes.ts';
import { deviationFactor } from '../l1.ts';
import { blocksOf, gammaBetaSums, gammaBetaSumsShader } from '../wgsl/columns.ts';
import { itemSize } from '../wgsl/items.ts';
import { teamDispatch, teamShaders } from '../wgsl/teams.ts';
import l1LayerNormGrad from './l1-layer-norm-grad.wgsl.ts';
import l1LayerNorm from './l1-layer-norm.wgsl.ts';

interface Attributes {
  axes: number[];
  epsilon: number;
  gaussianScale: boolean;
  gradFloor: number;
}

/** One dispatch. */
export const l1LayerNormWgsl = (): WgslKernel<Attributes> =>
  wgslKernel({
    shaders: teamShaders(l1LayerNorm),
    plan: ({ inputs, attrs: { axes, epsilon, gaussianScale } }, device) => {
      const { rows, width } = asRows(inputs['x']!.shape, axes.length);
      const uniforms = {
        rows,
        width: width / itemSize(width),
        count: width,
        factor: deviationFactor(gaussianScale),
        epsilon,
        has_gamma: inputs['gamma'] ? 1 : 0,
        has_beta: inputs['beta'] ? 1 : 0,
      };
      return { dispatches: [{ ...teamDispatch(rows, width, itemSize(width), device), uniforms }] };
    },
  });

/** Two dispatches: dx with partial sums over columns, then the sums of these. */
export const l1LayerNormGradWgsl = (): WgslKernel<Attributes> =>
  wgslKernel({
    shaders: { ...teamShaders(l1LayerNormGrad), ...gammaBetaSumsShader() },
    plan: ({ inputs, attrs: { axes, epsilon, gaussianScale, gradFloor } }, device) => {
      const { rows, width } = asRows(inputs['x']!.shape, axes.length);
      const { blocks, rowsPerBlock } = blocksOf(rows);
      const uniforms = {
        rows,
        width: width / itemSize(width),
        rows_per_block: rowsPerBlock,
        has_gamma: inputs['gamma'] ? 1 : 0,
        count: width,
        factor: deviationFactor(gaussianScale),
        epsilon,
        floor: gradFloor,
      };
      return {
        scratch: { partials: { shape: [blocks, 2, width], dtype: 'float32' } },
        dispatches: [{ ...teamDispatch(blocks, width, itemSize(width), device), uniforms }, gammaBetaSums(blocks, width)],
      };
    },
  });
