import { wgslKernel, type TensorSpec, type WgslKernel } from '@evenkeel/core';
import { asRows } from '../axes.ts';
import { blocksOf } from '../wgsl/columns.ts';
import { itemSize } from '../wgsl/items.ts';
import { teamDispatch, teamShaders } from '../wgsl/teams.ts';
import grad from './conditional-norm-grad.wgsl.ts';
import forward from './conditional-norm.wgsl.ts';
import groupSums from './group-sums.wgsl.ts';

interface Attributes {
  kind: string;
  epsilon: number;
}

/** How many of the rows share a row of a parameter. */
const sharing = (parameter: TensorSpec | undefined, rows: number): number => rows / (parameter?.shape[0] ?? 1);

/** One dispatch. */
export const conditionalNormWgsl = (): WgslKernel<Attributes> =>
  wgslKernel({
    shaders: teamShaders(forward),
    plan: ({ inputs: { x, gamma, beta }, attrs: { kind, epsilon } }, device) => {
      const { rows, width } = asRows(x!.shape, 1);
      const size = itemSize(width);
      const uniforms = {
        rows,
        width: width / size,
        count: width,
        epsilon,
        centre: kind === 'layer' ? 1 : 0,
        has_gamma: gamma ? 1 : 0,
        has_beta: beta ? 1 : 0,
        gamma_rows: sharing(gamma, rows),
        beta_rows: sharing(beta, rows),
      };
      return { dispatches: [{ ...teamDispatch(rows, width, size, device), uniforms }] };
    },
  });

/** Two dispatches: dx with partial sums over columns for blocks of each sample's rows, then the sums of these. */
export const conditionalNormGradWgsl = (): WgslKernel<Attributes & { samples: number }> =>
  wgslKernel({
    shaders: { ...teamShaders(grad), groupSums: { code: groupSums } },
    plan: ({ inputs: { x, gamma }, attrs: { kind, epsilon, samples } }, device) => {
      const { rows, width } = asRows(x!.shape, 1);
      const size = itemSize(width);
      const rowsPerGroup = rows / samples;
      // As many blocks in all as without groups, but at least one a group.
      const rowsPerBlock = Math.min(rowsPerGroup, blocksOf(rows).rowsPerBlock);
      const blocks = Math.ceil(rowsPerGroup / rowsPerBlock);
      const uniforms = {
        rows,
        width: width / size,
        rows_per_block: rowsPerBlock,
        blocks_per_group: blocks,
        rows_per_group: rowsPerGroup,
        has_gamma: gamma ? 1 : 0,
        gamma_rows: sharing(gamma, rows),
        centre: kind === 'layer' ? 1 : 0,
        count: width,
        epsilon,
      };
      return {
        scratch: { partials: { shape: [samples * blocks, 2, width], dtype: 'float32' } },
        dispatches: [
          { ...teamDispatch(samples * blocks, width, size, device), uniforms },
          { shader: 'groupSums', uniforms: { groups: samples, blocks, width }, workgroups: Math.ceil((samples * width) / 64) },
        ],
      };
    },
  });
