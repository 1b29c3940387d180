import { wgslKernel, type KernelCall, type WgslKernel } from '@evenkeel/core';
import { asSlabs } from '../axes.ts';
import { blocksOf, columnDispatch, columnShaders } from '../wgsl/columns.ts';
import { itemSize } from '../wgsl/items.ts';
import sigmoid from '../wgsl/sigmoid.wgsl.ts';
import { teamDispatch, teamShaders } from '../wgsl/teams.ts';
import forward from './evo-norm-s.wgsl.ts';
import dx from './s-dx.wgsl.ts';
import statistics from './s-statistics.wgsl.ts';
import sums from './s-sums.wgsl.ts';

interface Attributes {
  numGroups: number;
  epsilon: number;
  centred: boolean;
}

function groups({ inputs, attrs: { numGroups, epsilon, centred } }: KernelCall<Attributes>) {
  const { samples, positions, channels } = asSlabs(inputs['x']!.shape);
  const size = itemSize(channels / numGroups);
  const teams = samples * numGroups;
  const count = (positions * channels) / numGroups;
  const layout = { groups: numGroups, positions, width: channels / size, group_width: channels / numGroups / size };
  const given = { has_gamma: inputs['gamma'] ? 1 : 0, has_v: inputs['v'] ? 1 : 0 };
  const uniforms = { ...layout, ...given, teams, count, epsilon, centred: centred ? 1 : 0 };
  return { samples, positions, channels, size, teams, count, given, uniforms } as const;
}

/** One dispatch. */
export const evoNormSWgsl = (): WgslKernel<Attributes> =>
  wgslKernel({
    shaders: teamShaders(`${forward}${sigmoid}`),
    plan: (call, device) => {
      const { size, teams, count, uniforms } = groups(call);
      const has_beta = call.inputs['beta'] ? 1 : 0;
      return { dispatches: [{ ...teamDispatch(teams, count, size, device), uniforms: { ...uniforms, has_beta } }] };
    },
  });

/** Three dispatches: statistics of each group, dx with parts of dgamma, dbeta and dv for each block of rows, the sums of the parts. */
export const evoNormSGradWgsl = (): WgslKernel<Attributes> =>
  wgslKernel({
    shaders: {
      ...teamShaders(`${statistics}${sigmoid}`),
      ...columnShaders('dx', `${dx}${sigmoid}`),
      sums: { code: sums },
    },
    plan: (call, device) => {
      const { samples, positions, channels, size, teams, count, given, uniforms } = groups(call);
      const rows = samples * positions;
      const { blocks, rowsPerBlock } = blocksOf(rows);
      const { groups: numGroups, group_width } = uniforms;
      const grid = { rows, columns: channels, rowsPerBlock };
      return {
        scratch: {
          statistics: { shape: [teams, 4], dtype: 'float32' },
          partials: { shape: [blocks, 3, channels], dtype: 'float32' },
        },
        dispatches: [
          { ...teamDispatch(teams, count, size, device), uniforms },
          columnDispatch('dx', size, grid, { positions, groups: numGroups, group_width, ...given }),
          { shader: 'sums', uniforms: { blocks, width: channels }, workgroups: Math.ceil(channels / 64) },
        ],
      };
    },
  });
