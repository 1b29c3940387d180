import { sizeOf, wasmKernel, type WasmKernel } from '@evenkeel/core';
import binary from './compander.wasm.ts';
import type { CompanderAttributes, LearnableAttributes } from './op.ts';
import { supports } from './supports.ts';

function kernel<A extends CompanderAttributes>(name: string, tensors: readonly (string | 0)[]): WasmKernel<A> {
  return wasmKernel({
    binary,
    supports,
    plan: ({ inputs }) => ({ calls: [{ export: name, args: [...tensors, sizeOf(inputs['v']!.shape)] }] }),
  });
}

export const companderWasm = (): WasmKernel<LearnableAttributes> => kernel('forward', ['v', 'a', 'b', 'y']);

export const companderSlopeWasm = (): WasmKernel<CompanderAttributes> => kernel('gradient', ['v', 'a', 'b', 'dy', 'y', 0, 0]);

export const companderGradWasm = (): WasmKernel<CompanderAttributes> => kernel('gradient', ['v', 'a', 'b', 'dy', 'dv', 'da', 'db']);
