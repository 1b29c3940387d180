import { wgslKernel, type KernelCall, type WgslKernel } from '@evenkeel/core';
import { asSlabs } from '../axes.ts';
import { blocksOf, columnDispatch, columnShaders, gammaBetaSums, gammaBetaSumsShader } from '../wgsl/columns.ts';
import { itemSize } from '../wgsl/items.ts';
import { teamDispatch, teamShaders } from '../wgsl/teams.ts';
import dx from './group-norm-dx.wgsl.ts';
import statistics from './group-norm-statistics.wgsl.ts';
import forward from './group-norm.wgsl.ts';

interface Attributes {
  numGroups: number;
  epsilon: number;
}

function groups({ inputs, attrs: { numGroups, epsilon } }: KernelCall<Attributes>) {
  const { samples, positions, channels } = asSlabs(inputs['x']!.shape);
  const size = itemSize(channels / numGroups);
  const teams = samples * numGroups;
  const count = (positions * channels) / numGroups;
  const layout = { groups: numGroups, positions, width: channels / size, group_width: channels / numGroups / size };
  const uniforms = { ...layout, teams, count, epsilon, has_gamma: inputs['gamma'] ? 1 : 0 };
  return { samples, positions, channels, size, teams, count, uniforms } as const;
}

/** One dispatch. */
export const groupNormWgsl = (): WgslKernel<Attributes> =>
  wgslKernel({
    shaders: teamShaders(forward),
    plan: (call, device) => {
      const { size, teams, count, uniforms } = groups(call);
      const has_beta = call.inputs['beta'] ? 1 : 0;
      return { dispatches: [{ ...teamDispatch(teams, count, size, device), uniforms: { ...uniforms, has_beta } }] };
    },
  });

/** Three dispatches: statistics of each group, dx with parts of dgamma and dbeta for each block of rows, the sums of the parts. */
export const groupNormGradWgsl = (): WgslKernel<Attributes> =>
  wgslKernel({
    shaders: { ...teamShaders(statistics), ...columnShaders('dx', dx), ...gammaBetaSumsShader() },
    plan: (call, device) => {
      const { samples, positions, channels, size, teams, count, uniforms } = groups(call);
      const rows = samples * positions;
      const { blocks, rowsPerBlock } = blocksOf(rows);
      const { groups: numGroups, group_width, has_gamma } = uniforms;
      const grid = { rows, columns: channels, rowsPerBlock };
      return {
        scratch: {
          statistics: { shape: [teams, 4], dtype: 'float32' },
          partials: { shape: [blocks, 2, channels], dtype: 'float32' },
        },
        dispatches: [
          { ...teamDispatch(teams, count, size, device), uniforms },
          columnDispatch('dx', size, grid, { positions, groups: numGroups, group_width, has_gamma }),
          gammaBetaSums(blocks, channels),
        ],
      };
    },
  });
