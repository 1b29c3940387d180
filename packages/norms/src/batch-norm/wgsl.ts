import { wgslKernel, type WgslKernel } from '@evenkeel/core';
import { asChannels } from '../axes.ts';
import { blocksOf, columnDispatch, columnShaders, gammaBetaSums, gammaBetaSumsShader } from '../wgsl/columns.ts';
import { itemSize } from '../wgsl/items.ts';
import { laneDispatch, laneShaders } from '../wgsl/lanes.ts';
import coefficients from './batch-norm-coefficients.wgsl.ts';
import dx from './batch-norm-dx.wgsl.ts';
import inferenceGrad from './batch-norm-inference-grad.wgsl.ts';
import inference from './batch-norm-inference.wgsl.ts';
import sums from './batch-norm-sums.wgsl.ts';
import normalize from './batch-norm.wgsl.ts';
import moments from './moments.wgsl.ts';

interface Attributes {
  epsilon: number;
}

/** Rows a thread works on where nothing is summed: enough to make up for reading the channel's parameters. */
const ROWS_PER_THREAD = 8;

/** Two dispatches: moments of each block of rows, then their merging and the normalization. */
export const batchNormWgsl = (): WgslKernel<Attributes> =>
  wgslKernel({
    shaders: { ...laneShaders('moments', moments), ...laneShaders('normalize', normalize) },
    plan: ({ inputs, attrs: { epsilon } }, device) => {
      const { rows, channels } = asChannels(inputs['x']!.shape);
      const size = itemSize(channels);
      const width = channels / size;
      // Every team merges all blocks' moments: where many columns keep a GPU busy, fewer blocks do.
      const rowsPerBlock = Math.ceil(rows / Math.min(128, Math.max(16, Math.ceil(4096 / width)), Math.ceil(rows / 16)));
      const blocks = Math.ceil(rows / rowsPerBlock);
      const layout = { rows, width, rows_per_block: rowsPerBlock };
      const affine = { has_gamma: inputs['gamma'] ? 1 : 0, has_beta: inputs['beta'] ? 1 : 0 };
      return {
        scratch: { partials: { shape: [blocks, 2, channels], dtype: 'float32' } },
        dispatches: [
          { ...laneDispatch('moments', size, blocks, width, device), uniforms: layout },
          { ...laneDispatch('normalize', size, blocks, width, device), uniforms: { ...layout, blocks, epsilon, ...affine } },
        ],
      };
    },
  });

/** Three dispatches: sums of each block of rows, dgamma and dbeta of them, dx. */
export const batchNormGradWgsl = (): WgslKernel<Attributes> =>
  wgslKernel({
    shaders: { ...columnShaders('sums', sums), coefficients: { code: coefficients }, ...columnShaders('dx', dx) },
    plan: ({ inputs, attrs: { epsilon } }) => {
      const { rows, channels } = asChannels(inputs['x']!.shape);
      const size = itemSize(channels);
      const { blocks, rowsPerBlock } = blocksOf(rows);
      return {
        scratch: {
          partials: { shape: [blocks, 2, channels], dtype: 'float32' },
          coefficients: { shape: [3, channels], dtype: 'float32' },
        },
        dispatches: [
          columnDispatch('sums', size, { rows, columns: channels, rowsPerBlock }, { epsilon }),
          {
            shader: 'coefficients',
            uniforms: { blocks, width: channels, rows, epsilon, has_gamma: inputs['gamma'] ? 1 : 0 },
            workgroups: Math.ceil(channels / 64),
          },
          columnDispatch('dx', size, { rows, columns: channels, rowsPerBlock: ROWS_PER_THREAD }),
        ],
      };
    },
  });

/** One dispatch. */
export const batchNormInferenceWgsl = (): WgslKernel<Attributes> =>
  wgslKernel({
    shaders: columnShaders('inference', inference),
    plan: ({ inputs, attrs: { epsilon } }) => {
      const { rows, channels } = asChannels(inputs['x']!.shape);
      const affine = { has_gamma: inputs['gamma'] ? 1 : 0, has_beta: inputs['beta'] ? 1 : 0 };
      const grid = { rows, columns: channels, rowsPerBlock: ROWS_PER_THREAD };
      return { dispatches: [columnDispatch('inference', itemSize(channels), grid, { epsilon, ...affine })] };
    },
  });

/** Two dispatches: dx with parts of dgamma and dbeta for each block of rows, then the sums of the parts. */
export const batchNormInferenceGradWgsl = (): WgslKernel<Attributes> =>
  wgslKernel({
    shaders: { ...columnShaders('dx', inferenceGrad), ...gammaBetaSumsShader() },
    plan: ({ inputs, attrs: { epsilon } }) => {
      const { rows, channels } = asChannels(inputs['x']!.shape);
      const { blocks, rowsPerBlock } = blocksOf(rows);
      const grid = { rows, columns: channels, rowsPerBlock };
      return {
        scratch: { partials: { shape: [blocks, 2, channels], dtype: 'float32' } },
        dispatches: [
          columnDispatch('dx', itemSize(channels), grid, { epsilon, has_gamma: inputs['gamma'] ? 1 : 0 }),
          gammaBetaSums(blocks, channels),
        ],
      };
    },
  });
