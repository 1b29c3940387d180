import { wgslKernel, type WgslDispatch, type WgslKernel } from '@evenkeel/core';
import { asSlabs } from '../axes.ts';
import moments from '../batch-norm/moments.wgsl.ts';
import { columnDispatch, columnShaders } from '../wgsl/columns.ts';
import { itemSize } from '../wgsl/items.ts';
import { laneDispatch, laneShaders } from '../wgsl/lanes.ts';
import { teamDispatch, teamShaders } from '../wgsl/teams.ts';
import assign from './assign.wgsl.ts';
import dx from './dx.wgsl.ts';
import imageSums from './image-sums.wgsl.ts';
import normalize from './normalize.wgsl.ts';
import parameterSums from './parameter-sums.wgsl.ts';
import update from './update.wgsl.ts';
import type { UnMixNormAttributes, UnMixNormGradAttributes } from './wasm.ts';

/** Positions a thread works on where nothing is summed: enough to make up for reading the image's statistics. */
const TILE = 16;

/** Starts a thread for each column and each tile of an image's positions. */
function tiled(
  name: string,
  size: 1 | 4,
  { samples, positions, channels }: ReturnType<typeof asSlabs>,
  uniforms: Readonly<Record<string, number>>,
): WgslDispatch {
  const tiles = Math.ceil(positions / TILE);
  const grid = { rows: samples * tiles, columns: channels, rowsPerBlock: 1 };
  return columnDispatch(name, size, grid, { positions, tiles, tile: TILE, ...uniforms });
}

/** Four dispatches: moments of each image, its assignment and mixture, the normalization, the components' steps. */
export const unMixNormWgsl = (): WgslKernel<UnMixNormAttributes> =>
  wgslKernel({
    shaders: {
      ...laneShaders('moments', moments),
      ...teamShaders(assign),
      ...columnShaders('normalize', normalize),
      update: { code: update },
    },
    plan: ({ inputs, attrs: { epsilon, temperature, momentum, exactMixtureVariance } }, device) => {
      const slabs = asSlabs(inputs['x']!.shape);
      const { samples, positions, channels } = slabs;
      const components = inputs['means']!.shape[0]!;
      const size = itemSize(channels);
      const width = channels / size;
      const affine = { has_gamma: inputs['gamma'] ? 1 : 0, has_beta: inputs['beta'] ? 1 : 0 };
      const mixture = { components, temperature, exact: Number(exactMixtureVariance) };
      return {
        scratch: {
          partials: { shape: [samples, 2, channels], dtype: 'float32' },
          counts: { shape: [samples], dtype: 'int32' },
        },
        dispatches: [
          {
            ...laneDispatch('moments', size, samples, width, device),
            uniforms: { rows: samples * positions, width, rows_per_block: positions },
          },
          { ...teamDispatch(samples, channels, size, device), uniforms: { teams: samples, width, positions, ...mixture } },
          tiled('normalize', size, slabs, { epsilon, ...affine }),
          {
            shader: 'update',
            uniforms: { images: samples, width: channels, positions, components, share: 1 - momentum },
            workgroups: Math.ceil((components * channels) / 64),
          },
        ],
      };
    },
  });

/** Three dispatches: sums of each image, dx, dgamma and dbeta. */
export const unMixNormGradWgsl = (): WgslKernel<UnMixNormGradAttributes> =>
  wgslKernel({
    shaders: { ...laneShaders('sums', imageSums), ...columnShaders('dx', dx), parameters: { code: parameterSums } },
    plan: ({ inputs, attrs: { components, epsilon } }, device) => {
      const slabs = asSlabs(inputs['x']!.shape);
      const { samples, positions, channels } = slabs;
      const size = itemSize(channels);
      const width = channels / size;
      return {
        scratch: { partials: { shape: [samples, 2, channels], dtype: 'float32' } },
        dispatches: [
          { ...laneDispatch('sums', size, samples, width, device), uniforms: { rows: samples * positions, width, positions } },
          tiled('dx', size, slabs, { components, epsilon, has_gamma: inputs['gamma'] ? 1 : 0 }),
          {
            shader: 'parameters',
            uniforms: { images: samples, width: channels, epsilon },
            workgroups: Math.ceil(channels / 64),
          },
        ],
      };
    },
  });
