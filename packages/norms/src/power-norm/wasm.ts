import { wasmKernel, type KernelCall, type WasmKernel, type WasmPlan } from '@evenkeel/core';
import { asChannels } from '../axes.ts';
import { parameters } from '../wasm-parameters.ts';
import binary from './power-norm.wasm.ts';
import type { BackwardOptions } from './op.ts';

interface Attributes {
  epsilon: number;
  groups: number;
}

/** The most rows that a block has, as in _mean-squares.as.ts. */
const MOST_ROWS = 128;

/** Bytes of what belongs to the rows of a block: a word for each, and one for each of its groups `times` over. */
const roomForRows = (groups: number, times: number): number => 4 * MOST_ROWS * (1 + times * Math.max(groups, 1));

export const powerNormWasm = (): WasmKernel<BackwardOptions> =>
  wasmKernel({
    binary,
    plan: (call): WasmPlan => forward(call, call.attrs.batchStatistic),
  });

export const powerNormVanillaWasm = (): WasmKernel<Attributes> =>
  wasmKernel({
    binary,
    plan: (call): WasmPlan => forward(call, true),
  });

function forward(call: KernelCall<Attributes>, batchStatistic: boolean): WasmPlan {
  const { rows, channels } = asChannels(call.inputs['x']!.shape);
  const { epsilon, groups } = call.attrs;
  const { args, scratch, fills } = parameters(call, channels, { gamma: 1, beta: 0 });
  const sizes = [rows, channels, groups, epsilon, batchStatistic ? 1 : 0];
  return {
    scratch: { ...scratch, scratch: 16 * channels + roomForRows(groups, 1) },
    calls: [...fills, { export: 'forward', args: ['x', 'runningPhi', ...args, 'mask', 'y', 'phi', 'scratch', ...sizes] }],
  };
}

export const powerNormInferenceWasm = (): WasmKernel<Attributes> =>
  wasmKernel({
    binary,
    plan: (call): WasmPlan => {
      const { rows, channels } = asChannels(call.inputs['x']!.shape);
      const { epsilon, groups } = call.attrs;
      const { args, scratch, fills } = parameters(call, channels, { gamma: 1, beta: 0 });
      const sizes = [rows, channels, groups, epsilon];
      return {
        scratch: { ...scratch, scale: 4 * channels, factors: roomForRows(groups, 1) },
        calls: [...fills, { export: 'inference', args: ['x', 'runningPhi', ...args, 'y', 'scale', 'factors', ...sizes] }],
      };
    },
  });

export const powerNormGradWasm = (): WasmKernel<Attributes & { alphaBackward: number }> =>
  wasmKernel({
    binary,
    plan: (call): WasmPlan => {
      const { rows, channels } = asChannels(call.inputs['x']!.shape);
      const { epsilon, groups, alphaBackward } = call.attrs;
      const { args, scratch, fills } = parameters(call, channels, { gamma: 1 });
      const inputs = ['x', 'dy', 'forwardPhi', 'backwardPhi', 'emaGz', ...args, 'mask'];
      const outputs = ['dx', 'dgamma', 'dbeta', 'emaGzStep'];
      return {
        scratch: { ...scratch, scratch: 44 * channels + roomForRows(groups, 2) },
        calls: [...fills, { export: 'gradient', args: [...inputs, ...outputs, 'scratch', rows, channels, groups, epsilon, alphaBackward] }],
      };
    },
  });
