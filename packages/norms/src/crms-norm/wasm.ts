import { wasmKernel, type WasmKernel } from '@evenkeel/core';
import { asRows } from '../axes.ts';
import binary from './crms-norm.wasm.ts';

interface Attributes {
  epsilon: number;
  padding: number;
}

function kernel(name: string, tensors: readonly string[]): WasmKernel<Attributes> {
  return wasmKernel({
    binary,
    plan: ({ inputs, attrs: { epsilon, padding } }) => {
      const { rows, width } = asRows(inputs['x']!.shape, 1);
      return { calls: [{ export: name, args: [...tensors, rows, width, width + 1 - padding, epsilon] }] };
    },
  });
}

export const crmsNormWasm = (): WasmKernel<Attributes> => kernel('forward', ['x', 'y']);
export const addCrmsNormWasm = (): WasmKernel<Attributes> => kernel('addForward', ['x', 'residual', 'y', 'sum']);
export const crmsNormGradWasm = (): WasmKernel<Attributes> => kernel('gradient', ['x', 'dy', 'dsum', 'dx']);
