import { wasmKernel, type WasmKernel } from '@evenkeel/core';
import { asChannels } from '../axes.ts';
import { asColumns } from '../wasm-columns.ts';
import { parameters } from '../wasm-parameters.ts';
import binary from './unified-norm.wasm.ts';

/** The most rows that a block has, as in _mean-squares.as.ts. */
const MOST_ROWS = 128;

export interface WindowAttributes {
  epsilon: number;
  momentum: number;
  slot: number;
  smooth: boolean;
  filter: boolean;
  byChannel: boolean;
  rescale: boolean;
  protect: boolean;
}

export interface GradWindowAttributes {
  epsilon: number;
  momentum: number;
  slot: number;
  smooth: boolean;
  alone: boolean;
  count: number;
}

export const meanSquareWasm = (): WasmKernel<object> =>
  wasmKernel({
    binary,
    plan: ({ inputs }) => {
      const { rows, channels } = asChannels(inputs['x']!.shape);
      return {
        scratch: { scratch: 12 * channels + 8 * MOST_ROWS },
        calls: [{ export: 'meanSquare', args: ['x', 'fallback', 'mask', 'y', 'scratch', rows, channels] }],
      };
    },
  });

export const tokenSumsWasm = (): WasmKernel<object> =>
  wasmKernel({
    binary,
    plan: ({ inputs }) => {
      const { rows, channels } = asChannels(inputs['x']!.shape);
      const { copies, room } = asColumns(rows, channels);
      return {
        scratch: { scratch: 7 * room },
        calls: [{ export: 'tokenSums', args: ['x', 'dy', 'products', 'sums', 'scratch', rows, channels, copies] }],
      };
    },
  });

export const blendWasm = (): WasmKernel<object> =>
  wasmKernel({
    binary,
    plan: ({ inputs }) => {
      const { rows, channels } = asChannels(inputs['x']!.shape);
      const { copies, room } = asColumns(rows, channels);
      return {
        scratch: { scratch: 3 * room },
        calls: [{ export: 'blend', args: ['x', 'dy', 'scale', 'slope', 'y', 'scratch', rows, channels, copies] }],
      };
    },
  });

export const unifiedWindowWasm = (): WasmKernel<WindowAttributes> =>
  wasmKernel({
    binary,
    plan: ({ inputs, attrs: { epsilon, momentum, slot, smooth, filter, byChannel, rescale, protect } }) => {
      const [size, channels] = inputs['squares']!.shape as [number, number];
      const tensors = ['meanSquare', 'runningVar', 'squares', 'square', 'factor', 'nextRunningVar', 'nextSquares', 'skip'];
      const flags = [smooth, filter, byChannel, rescale, protect].map(Number);
      return { calls: [{ export: 'forwardWindow', args: [...tensors, channels, size, epsilon, momentum, slot, ...flags] }] };
    },
  });

export const unifiedGradWindowWasm = (): WasmKernel<GradWindowAttributes> =>
  wasmKernel({
    binary,
    plan: (call) => {
      const { epsilon, momentum, slot, smooth, alone, count } = call.attrs;
      const [size, channels] = call.inputs['gradients']!.shape as [number, number];
      const { args, scratch, fills } = parameters(call, channels, { gamma: 1 });
      const inputs = ['products', 'square', 'factor', 'skip', 'emaGz', 'gradients', ...args];
      const outputs = ['scale', 'slope', 'dgamma', 'nextEmaGz', 'nextGradients'];
      const numbers = [channels, size, epsilon, momentum, slot, Number(smooth), Number(alone), count];
      return { scratch, calls: [...fills, { export: 'backwardWindow', args: [...inputs, ...outputs, ...numbers] }] };
    },
  });
