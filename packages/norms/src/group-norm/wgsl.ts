import { wgslKernel, type KernelCall, type WgslKernel } from '@evenkeel/core';
import { activationCode } from '../activation.ts';
import { asSlabs } from '../axes.ts';
import { activatedColumnShaders, blocksOf, columnDispatch, gammaBetaSums, gammaBetaSumsShader } from '../wgsl/columns.ts';
import { itemSize } from '../wgsl/items.ts';
import { activatedTeamShaders, teamDispatch } from '../wgsl/teams.ts';
import dx from './group-norm-dx.wgsl.ts';
import statistics from './group-norm-statistics.wgsl.ts';
import forward from './group-norm.wgsl.ts';
import type { GroupNormOptions } from './op.ts';

type Attributes = Required<GroupNormOptions>;

function groups({ inputs, attrs: { numGroups, epsilon, activation } }: KernelCall<Attributes>) {
  const { samples, positions, channels } = asSlabs(inputs['x']!.shape);
  const size = itemSize(channels / numGroups);
  const teams = samples * numGroups;
  const count = (positions * channels) / numGroups;
  const layout = { groups: numGroups, positions, width: channels / size, group_width: channels / numGroups / size };
  const given = { has_gamma: inputs['gamma'] ? 1 : 0, has_beta: inputs['beta'] ? 1 : 0, activation: activationCode(activation) };
  const uniforms = { ...layout, ...given, teams, count, epsilon };
  return { samples, positions, channels, size, teams, count, given, uniforms } as const;
}

/** One dispatch. */
export const groupNormWgsl = (): WgslKernel<Attributes> =>
  wgslKernel({
    shaders: activatedTeamShaders(forward),
    plan: (call, device) => {
      const { size, teams, count, uniforms } = groups(call);
      return { dispatches: [{ ...teamDispatch(teams, count, size, device), uniforms }] };
    },
  });

/** Three dispatches: statistics of each group, dx with parts of dgamma and dbeta for each block of rows, the sums of the parts. */
export const groupNormGradWgsl = (): WgslKernel<Attributes> =>
  wgslKernel({
    shaders: { ...activatedTeamShaders(statistics), ...activatedColumnShaders('dx', dx), ...gammaBetaSumsShader() },
    plan: (call, device) => {
      const { samples, positions, channels, size, teams, count, given, uniforms } = groups(call);
      const rows = samples * positions;
      const { blocks, rowsPerBlock } = blocksOf(rows);
      const { groups: numGroups, group_width } = uniforms;
      const grid = { rows, columns: channels, rowsPerBlock };
      return {
        scratch: {
          statistics: { shape: [teams, 4], dtype: 'float32' },
          partials: { shape: [blocks, 2, channels], dtype: 'float32' },
        },
        dispatches: [
          { ...teamDispatch(teams, count, size, device), uniforms },
          columnDispatch('dx', size, grid, { positions, groups: numGroups, group_width, ...given }),
          gammaBetaSums(blocks, channels),
        ],
      };
    },
  });
