import {
  wgslKernel,
  type DeviceInfo,
  type KernelCall,
  type TensorSpec,
  type WgslDispatch,
  type WgslKernel,
  type WgslPlan,
} from '@evenkeel/core';
import { asChannels } from '../axes.ts';
import { lacksBindings } from '../wgsl/bindings.ts';
import { blocksOf, columnDispatch, columnShaders } from '../wgsl/columns.ts';
import { itemSize } from '../wgsl/items.ts';
import { laneDispatch, laneShaders } from '../wgsl/lanes.ts';
import { teamDispatch, teamShaders } from '../wgsl/teams.ts';
import type { BackwardOptions } from './op.ts';
import batch from './power-norm-batch.wgsl.ts';
import factors from './power-norm-factors.wgsl.ts';
import gradient from './power-norm-gradient.wgsl.ts';
import groupMeans from './power-norm-group-means.wgsl.ts';
import inference from './power-norm-inference.wgsl.ts';
import phi from './power-norm-phi.wgsl.ts';
import running from './power-norm-running.wgsl.ts';
import squares from './power-norm-squares.wgsl.ts';
import sums from './power-norm-sums.wgsl.ts';

interface Attributes {
  epsilon: number;
  groups: number;
}

/** Rows a thread works on where nothing is summed: enough to make up for reading the channel's parameters. */
const ROWS_PER_THREAD = 8;

/** What all shaders of a call are told. */
function layout({ inputs, attrs: { epsilon, groups } }: KernelCall<Attributes>) {
  const { rows, channels } = asChannels(inputs['x']!.shape);
  const groupChannels = channels / Math.max(groups, 1);
  const size = itemSize(groupChannels);
  const has = (name: string): number => (inputs[name] ? 1 : 0);
  return {
    rows,
    channels,
    groupChannels,
    size,
    teams: rows * groups,
    grouping: { groups, group_width: groupChannels / size },
    affine: { epsilon, has_gamma: has('gamma'), has_beta: has('beta') },
    masked: { has_mask: has('mask') },
  };
}

/** One value, or two, for each group of each row; where there are no groups, something to bind. */
const forGroups = (teams: number, values: number): TensorSpec => ({ shape: [Math.max(teams, 1), values], dtype: 'float32' });

/** Where there are groups: a dispatch for their factors. */
function factorDispatch(call: KernelCall<Attributes>, device: DeviceInfo): WgslDispatch[] {
  const { teams, groupChannels, size, affine } = layout(call);
  if (teams === 0) return [];
  const uniforms = { teams, width: groupChannels / size, count: groupChannels, epsilon: affine.epsilon };
  return [{ ...teamDispatch(teams, groupChannels, size, device), uniforms }];
}

const batchShaders = () => ({ ...teamShaders(factors), ...laneShaders('squares', squares), ...laneShaders('batch', batch) });

/** Two dispatches, and one for groups: squares of each block of rows, then their sum and the normalization. */
function byBatch(call: KernelCall<Attributes>, device: DeviceInfo): WgslPlan {
  const { rows, channels, size, teams, grouping, affine, masked } = layout(call);
  const width = channels / size;
  // Every team adds up all blocks: where many columns keep a GPU busy, fewer blocks do.
  const rowsPerBlock = Math.ceil(rows / Math.min(128, Math.max(16, Math.ceil(4096 / width)), Math.ceil(rows / 16)));
  const blocks = Math.ceil(rows / rowsPerBlock);
  const common = { rows, width, rows_per_block: rowsPerBlock, ...grouping };
  return {
    scratch: { partials: { shape: [blocks, 2, channels], dtype: 'float32' }, factors: forGroups(teams, 1) },
    dispatches: [
      ...factorDispatch(call, device),
      { ...laneDispatch('squares', size, blocks, width, device), uniforms: { ...common, ...masked } },
      { ...laneDispatch('batch', size, blocks, width, device), uniforms: { ...common, ...affine, blocks } },
    ],
  };
}

/** Two dispatches, and one for groups: the normalization with the squares of each block of rows, then their sum. */
function byRunning(call: KernelCall<Attributes>, device: DeviceInfo): WgslPlan {
  const { rows, channels, size, teams, grouping, affine, masked } = layout(call);
  const { blocks, rowsPerBlock } = blocksOf(rows);
  return {
    scratch: { partials: { shape: [blocks, 2, channels], dtype: 'float32' }, factors: forGroups(teams, 1) },
    dispatches: [
      ...factorDispatch(call, device),
      columnDispatch('running', size, { rows, columns: channels, rowsPerBlock }, { ...grouping, ...affine, ...masked }),
      { shader: 'phi', uniforms: { blocks, width: channels }, workgroups: Math.ceil(channels / 64) },
    ],
  };
}

export const powerNormWgsl = (): WgslKernel<BackwardOptions> =>
  wgslKernel({
    shaders: { ...batchShaders(), ...columnShaders('running', running), phi: { code: phi } },
    plan: (call, device) => (call.attrs.batchStatistic ? byBatch(call, device) : byRunning(call, device)),
  });

export const powerNormVanillaWgsl = (): WgslKernel<Attributes> => wgslKernel({ shaders: batchShaders(), plan: byBatch });

/** One dispatch, and one for groups. */
export const powerNormInferenceWgsl = (): WgslKernel<Attributes> =>
  wgslKernel({
    shaders: { ...teamShaders(factors), ...columnShaders('inference', inference) },
    plan: (call, device) => {
      const { rows, channels, size, teams, grouping, affine } = layout(call);
      const grid = { rows, columns: channels, rowsPerBlock: ROWS_PER_THREAD };
      return {
        scratch: { factors: forGroups(teams, 1) },
        dispatches: [...factorDispatch(call, device), columnDispatch('inference', size, grid, { ...grouping, ...affine })],
      };
    },
  });

/** Two dispatches, and one for groups: dx with the sums of each block of rows, then the sums of the parts. */
export const powerNormGradWgsl = (): WgslKernel<Attributes & { alphaBackward: number }> =>
  wgslKernel({
    shaders: { ...teamShaders(groupMeans), ...columnShaders('gradient', gradient), sums: { code: sums } },
    supports: (_, device) => lacksBindings(device, 10),
    plan: (call, device) => {
      const { rows, channels, groupChannels, size, teams, grouping, affine, masked } = layout(call);
      const { blocks, rowsPerBlock } = blocksOf(rows);
      const { epsilon, has_gamma } = affine;
      const common = { epsilon, has_gamma, alpha_backward: call.attrs.alphaBackward };
      const { groups } = grouping;
      const means: WgslDispatch = {
        ...teamDispatch(teams, groupChannels, size, device),
        uniforms: { teams, groups, width: groupChannels / size, count: groupChannels, ...common },
      };
      return {
        scratch: { partials: { shape: [blocks, 4, channels], dtype: 'float32' }, factors: forGroups(teams, 2) },
        dispatches: [
          ...(teams > 0 ? [means] : []),
          columnDispatch('gradient', size, { rows, columns: channels, rowsPerBlock }, { ...grouping, ...common, ...masked }),
          { shader: 'sums', uniforms: { blocks, width: channels, epsilon }, workgroups: Math.ceil(channels / 64) },
        ],
      };
    },
  });
