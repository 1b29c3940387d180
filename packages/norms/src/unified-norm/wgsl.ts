import { wgslKernel, type WgslKernel } from '@evenkeel/core';
import { asChannels } from '../axes.ts';
import squares from '../power-norm/power-norm-squares.wgsl.ts';
import { lacksBindings } from '../wgsl/bindings.ts';
import { blocksOf, columnDispatch, columnShaders } from '../wgsl/columns.ts';
import { itemSize } from '../wgsl/items.ts';
import { laneDispatch, laneShaders } from '../wgsl/lanes.ts';
import blend from './blend.wgsl.ts';
import meanSquare from './mean-square.wgsl.ts';
import blocks from './token-sums-blocks.wgsl.ts';
import tokenSums from './token-sums.wgsl.ts';
import gradWindow from './unified-grad-window.wgsl.ts';
import window from './unified-window.wgsl.ts';
import type { GradWindowAttributes, WindowAttributes } from './wasm.ts';

/** Rows a thread works on where nothing is summed: enough to make up for reading the channel's parameters. */
const ROWS_PER_THREAD = 8;

/** Two dispatches: squares of each block of rows, then their mean. */
export const meanSquareWgsl = (): WgslKernel<object> =>
  wgslKernel({
    shaders: { ...laneShaders('squares', squares), mean: { code: meanSquare } },
    plan: ({ inputs }, device) => {
      const { rows, channels } = asChannels(inputs['x']!.shape);
      const size = itemSize(channels);
      const width = channels / size;
      const rowsPerBlock = Math.ceil(rows / Math.min(128, Math.ceil(rows / 16)));
      const count = Math.ceil(rows / rowsPerBlock);
      const grouping = { groups: 0, group_width: width, has_mask: inputs['mask'] ? 1 : 0 };
      return {
        scratch: { partials: { shape: [count, 2, channels], dtype: 'float32' }, factors: { shape: [1], dtype: 'float32' } },
        dispatches: [
          {
            ...laneDispatch('squares', size, count, width, device),
            uniforms: { rows, width, rows_per_block: rowsPerBlock, ...grouping },
          },
          { shader: 'mean', uniforms: { blocks: count, width: channels }, workgroups: Math.ceil(channels / 64) },
        ],
      };
    },
  });

/** Two dispatches: sums of each block of rows, then their sums. */
export const tokenSumsWgsl = (): WgslKernel<object> =>
  wgslKernel({
    shaders: { ...columnShaders('blocks', blocks), sums: { code: tokenSums } },
    plan: ({ inputs }) => {
      const { rows, channels } = asChannels(inputs['x']!.shape);
      const { blocks: count, rowsPerBlock } = blocksOf(rows);
      return {
        scratch: { partials: { shape: [count, 2, channels], dtype: 'float32' } },
        dispatches: [
          columnDispatch('blocks', itemSize(channels), { rows, columns: channels, rowsPerBlock }),
          { shader: 'sums', uniforms: { blocks: count, width: channels }, workgroups: Math.ceil(channels / 64) },
        ],
      };
    },
  });

/** One dispatch. */
export const blendWgsl = (): WgslKernel<object> =>
  wgslKernel({
    shaders: columnShaders('blend', blend),
    plan: ({ inputs }) => {
      const { rows, channels } = asChannels(inputs['x']!.shape);
      return { dispatches: [columnDispatch('blend', itemSize(channels), { rows, columns: channels, rowsPerBlock: ROWS_PER_THREAD })] };
    },
  });

/** One dispatch, of one workgroup: nothing is read back to see whether there is an outlier. */
export const unifiedWindowWgsl = (): WgslKernel<WindowAttributes> =>
  wgslKernel({
    shaders: { window: { code: window } },
    plan: ({ inputs, attrs: { epsilon, momentum, slot, smooth, filter, byChannel, rescale, protect } }) => {
      const [size, channels] = inputs['squares']!.shape as [number, number];
      const flags = { smooth_window: Number(smooth), look: Number(filter), by_channel: Number(byChannel) };
      const others = { rescale: Number(rescale), protect: Number(protect) };
      return {
        dispatches: [{ shader: 'window', uniforms: { channels, size, slot, epsilon, momentum, ...flags, ...others }, workgroups: 1 }],
      };
    },
  });

/** One dispatch. */
export const unifiedGradWindowWgsl = (): WgslKernel<GradWindowAttributes> =>
  wgslKernel({
    shaders: { window: { code: gradWindow } },
    supports: (_, device) => lacksBindings(device, 12),
    plan: ({ inputs, attrs: { epsilon, momentum, slot, smooth, alone, count } }) => {
      const [size, channels] = inputs['gradients']!.shape as [number, number];
      const flags = { smooth_window: Number(smooth), alone: Number(alone), has_gamma: inputs['gamma'] ? 1 : 0 };
      const uniforms = { channels, size, slot, epsilon, momentum, count, ...flags };
      return { dispatches: [{ shader: 'window', uniforms, workgroups: Math.ceil(channels / 64) }] };
    },
  });
