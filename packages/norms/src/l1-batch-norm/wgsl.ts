import { wgslKernel, type WgslKernel } from '@evenkeel/core';
import { asChannels } from '../axes.ts';
import { deviationFactor } from '../l1.ts';
import { blocksOf, columnDispatch, columnShaders } from '../wgsl/columns.ts';
import { itemSize } from '../wgsl/items.ts';
import { laneDispatch, laneShaders } from '../wgsl/lanes.ts';
import coefficients from './coefficients.wgsl.ts';
import deviations from './deviations.wgsl.ts';
import dx from './dx.wgsl.ts';
import gradientSums from './gradient-sums.wgsl.ts';
import normalize from './l1-batch-norm.wgsl.ts';
import sums from './sums.wgsl.ts';

interface Attributes {
  epsilon: number;
  gaussianScale: boolean;
  gradFloor: number;
}

/** Rows a thread works on where nothing is summed: enough to make up for reading the channel's parameters. */
const ROWS_PER_THREAD = 8;

/** Three dispatches, one more than variances need: deviations are from the mean of all rows. */
export const l1BatchNormWgsl = (): WgslKernel<Attributes> =>
  wgslKernel({
    shaders: { ...laneShaders('sums', sums), ...laneShaders('deviations', deviations), ...laneShaders('normalize', normalize) },
    plan: ({ inputs, attrs: { epsilon, gaussianScale } }, device) => {
      const { rows, channels } = asChannels(inputs['x']!.shape);
      const size = itemSize(channels);
      const width = channels / size;
      // Every team merges all blocks' sums: where many columns keep a GPU busy, fewer blocks do.
      const rowsPerBlock = Math.ceil(rows / Math.min(128, Math.max(16, Math.ceil(4096 / width)), Math.ceil(rows / 16)));
      const blocks = Math.ceil(rows / rowsPerBlock);
      const layout = { rows, width, rows_per_block: rowsPerBlock };
      const options = { factor: deviationFactor(gaussianScale), epsilon };
      const affine = { has_gamma: inputs['gamma'] ? 1 : 0, has_beta: inputs['beta'] ? 1 : 0 };
      return {
        scratch: {
          partials: { shape: [blocks, channels], dtype: 'float32' },
          deviations: { shape: [blocks, channels], dtype: 'float32' },
        },
        dispatches: [
          { ...laneDispatch('sums', size, blocks, width, device), uniforms: layout },
          { ...laneDispatch('deviations', size, blocks, width, device), uniforms: { ...layout, blocks } },
          { ...laneDispatch('normalize', size, blocks, width, device), uniforms: { ...layout, blocks, ...options, ...affine } },
        ],
      };
    },
  });

/** Three dispatches: sums of each block of rows, dgamma and dbeta of them, dx. */
export const l1BatchNormGradWgsl = (): WgslKernel<Attributes> =>
  wgslKernel({
    shaders: { ...columnShaders('sums', gradientSums), coefficients: { code: coefficients }, ...columnShaders('dx', dx) },
    plan: ({ inputs, attrs: { epsilon, gaussianScale, gradFloor } }) => {
      const { rows, channels } = asChannels(inputs['x']!.shape);
      const size = itemSize(channels);
      const { blocks, rowsPerBlock } = blocksOf(rows);
      const options = { factor: deviationFactor(gaussianScale), epsilon };
      const affine = { floor: gradFloor, has_gamma: inputs['gamma'] ? 1 : 0 };
      return {
        scratch: {
          partials: { shape: [blocks, 3, channels], dtype: 'float32' },
          coefficients: { shape: [3, channels], dtype: 'float32' },
        },
        dispatches: [
          columnDispatch('sums', size, { rows, columns: channels, rowsPerBlock }, options),
          {
            shader: 'coefficients',
            uniforms: { blocks, width: channels, rows, ...options, ...affine },
            workgroups: Math.ceil(channels / 64),
          },
          columnDispatch('dx', size, { rows, columns: channels, rowsPerBlock: ROWS_PER_THREAD }),
        ],
      };
    },
  });
