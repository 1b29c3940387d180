import { wgslKernel, type DeviceInfo, type KernelCall, type WgslDispatch, type WgslKernel } from '@evenkeel/core';
import { columnDispatch, columnShaders } from '../wgsl/columns.ts';
import { itemSize } from '../wgsl/items.ts';
import { laneDispatch, laneShaders } from '../wgsl/lanes.ts';
import { teamDispatch, teamShaders } from '../wgsl/teams.ts';
import { asSets, type RegionAttributes, type StatisticsAttributes } from './attributes.ts';
import gradientCoefficients from './gradient-coefficients.wgsl.ts';
import gradientDx from './gradient-dx.wgsl.ts';
import gradientSums from './gradient-sums.wgsl.ts';
import mappedGradientDx from './mapped-gradient-dx.wgsl.ts';
import mappedRegionNorm from './mapped-region-norm.wgsl.ts';
import momentsGradient from './moments-gradient.wgsl.ts';
import merge from './region-merge.wgsl.ts';
import regionMoments from './region-moments.wgsl.ts';
import regionNorm from './region-norm.wgsl.ts';
import regionSums from './region-sums.wgsl.ts';

type Call = KernelCall<StatisticsAttributes>;

/** Rows a thread works on where nothing is summed. */
const ROWS_PER_THREAD = 8;

function layoutOf({ inputs, attrs: { regions, statistics } }: Call) {
  const { sets, positions, channels } = asSets(inputs['x']!.shape, statistics);
  const size = itemSize(channels);
  return { sets, positions, channels, regions, size, width: channels / size } as const;
}

const official = ({ epsilon, epsilonMode }: RegionAttributes): { epsilon: number; official: number } => ({
  epsilon,
  official: epsilonMode === 'official' ? 1 : 0,
});

/** The blocks of pixels whose moments are merged: no more than keep a GPU busy, since every team merges those of its set. */
function momentBlocks(call: Call, device: DeviceInfo) {
  const { sets, positions, channels, regions, size, width } = layoutOf(call);
  const most = Math.min(128, Math.max(1, Math.ceil(4096 / (width * sets)), Math.ceil(16 / sets)), Math.ceil(positions / 16));
  const rowsPerBlock = Math.ceil(positions / most);
  const blocks = Math.ceil(positions / rowsPerBlock);
  const uniforms = { rows: positions, width, rows_per_block: rowsPerBlock, blocks, sets, regions };
  const dispatch = (name: string, teams: number, more: Readonly<Record<string, number>> = {}): WgslDispatch => ({
    ...laneDispatch(name, size, teams, width, device),
    uniforms: { ...uniforms, ...more },
  });
  return {
    scratch: { partials: { shape: [sets, blocks, regions, 3, channels], dtype: 'float32' } },
    sums: dispatch('sums', sets * blocks),
    /** A team for each block once more. */
    normalize: (more: Readonly<Record<string, number>>) => dispatch('normalize', sets * blocks, more),
    /** A team for each set. */
    merge: () => {
      const { rows_per_block: _, ...fields } = uniforms;
      return { ...dispatch('merge', sets), uniforms: fields };
    },
  } as const;
}

/** Two dispatches: moments of each block, then their merging. */
export const regionMomentsWgsl = (): WgslKernel<StatisticsAttributes> =>
  wgslKernel({
    shaders: { ...laneShaders('sums', regionSums), ...laneShaders('merge', `${regionMoments}${merge}`) },
    plan: (call, device) => {
      const { scratch, sums, merge: last } = momentBlocks(call, device);
      return { scratch, dispatches: [sums, last()] };
    },
  });

/** One dispatch. */
export const regionMomentsGradWgsl = (): WgslKernel<StatisticsAttributes> =>
  wgslKernel({
    shaders: columnShaders('dx', momentsGradient),
    plan: (call) => {
      const { sets, positions, channels, regions, size } = layoutOf(call);
      const grid = { rows: sets * positions, columns: channels, rowsPerBlock: ROWS_PER_THREAD };
      return { dispatches: [columnDispatch('dx', size, grid, { positions, regions })] };
    },
  });

/** Two dispatches: moments of each block, then their merging and the normalization. */
export const regionNormWgsl = (): WgslKernel<RegionAttributes> =>
  wgslKernel({
    shaders: { ...laneShaders('sums', regionSums), ...laneShaders('normalize', `${regionNorm}${merge}`) },
    plan: (call, device) => {
      const { scratch, sums, normalize } = momentBlocks(call, device);
      const given = { has_gamma: call.inputs['gamma'] ? 1 : 0, has_beta: call.inputs['beta'] ? 1 : 0 };
      return { scratch, dispatches: [sums, normalize({ ...official(call.attrs), ...given })] };
    },
  });

/** Two dispatches, as of {@link regionNormWgsl}. */
export const mappedRegionNormWgsl = (): WgslKernel<RegionAttributes> =>
  wgslKernel({
    shaders: { ...laneShaders('sums', regionSums), ...laneShaders('normalize', `${mappedRegionNorm}${merge}`) },
    plan: (call, device) => {
      const { scratch, sums, normalize } = momentBlocks(call, device);
      return { scratch, dispatches: [sums, normalize(official(call.attrs))] };
    },
  });

/** The first two dispatches of the gradients: sums of each block of a set, then coefficients for dx. */
function gradientStart(call: KernelCall<RegionAttributes>) {
  const { sets, positions, channels, regions, size } = layoutOf(call);
  // Enough blocks to keep a GPU busy, few enough that summing the parts costs little.
  const rowsPerBlock = Math.max(4, Math.ceil((sets * positions) / 512));
  const blocksOfSet = Math.ceil(positions / rowsPerBlock);
  const has = (name: string): number => (call.inputs[name] ? 1 : 0);
  return {
    scratch: {
      partials: { shape: [sets, blocksOfSet, regions, 2, channels], dtype: 'float32' },
      coefficients: { shape: [sets, regions, 3, channels], dtype: 'float32' },
    },
    dispatches: [
      // Each set's last block is counted as if it were full.
      columnDispatch(
        'sums',
        size,
        { rows: sets * blocksOfSet * rowsPerBlock, columns: channels, rowsPerBlock },
        { positions, blocks_of_set: blocksOfSet, regions, has_affine: has('affine') },
      ),
      {
        shader: 'coefficients',
        uniforms: {
          width: channels,
          positions,
          blocks_of_set: blocksOfSet,
          sets,
          regions,
          ...official(call.attrs),
          has_gamma: has('gamma'),
        },
        workgroups: Math.ceil((regions * channels) / 64),
      },
    ],
  } as const;
}

/** Three dispatches: sums of each block, coefficients with dgamma and dbeta, dx. */
export const regionNormGradWgsl = (): WgslKernel<RegionAttributes> =>
  wgslKernel({
    shaders: {
      ...columnShaders('sums', gradientSums),
      coefficients: { code: gradientCoefficients },
      ...columnShaders('dx', gradientDx),
    },
    plan: (call) => {
      const { sets, positions, channels, regions, size } = layoutOf(call);
      const { scratch, dispatches } = gradientStart(call);
      const grid = { rows: sets * positions, columns: channels, rowsPerBlock: ROWS_PER_THREAD };
      return { scratch, dispatches: [...dispatches, columnDispatch('dx', size, grid, { positions, regions })] };
    },
  });

/** Three dispatches: sums of each block, coefficients, dx with the pixels' own sums. */
export const mappedRegionNormGradWgsl = (): WgslKernel<RegionAttributes> =>
  wgslKernel({
    shaders: {
      ...columnShaders('sums', gradientSums),
      coefficients: { code: gradientCoefficients },
      ...teamShaders(mappedGradientDx),
    },
    plan: (call, device) => {
      const { sets, positions, channels, regions, size, width } = layoutOf(call);
      const { scratch, dispatches } = gradientStart(call);
      const teams = sets * positions;
      const unused = { shape: [regions, channels], dtype: 'float32' } as const;
      return {
        // There is no gamma that they would be gradients of.
        scratch: { ...scratch, dgamma: unused, dbeta: unused },
        dispatches: [...dispatches, { ...teamDispatch(teams, channels, size, device), uniforms: { teams, width, positions, regions } }],
      };
    },
  });
