import { mul, type Tensor } from '@tensorflow/tfjs-core';
import { defineOp, sizeOf, wasmKernel, type Op, type WasmKernel, type WasmPlan } from '@evenkeel/core';
import { moduleOf } from './modules.ts';

type Scale = Op<{ x: '...' }, { factor: number }, Tensor>;

let count = 0;

/** An op y = factor x, with this kernel: a binary, and what else to plan. */
export function scaleOp(
  binary: string = moduleOf(),
  plan: Partial<WasmPlan> = {},
  more: Partial<WasmKernel<{ factor: number }>> = {},
): Scale {
  return defineOp({
    name: `Scale${count++}`,
    owner: { name: '@test/scale', version: '1.0.0' },
    inputs: { x: '...' },
    attrs: { factor: 2 },
    reference: ({ x }, { factor }) => mul(x, factor),
    kernels: () => [
      wasmKernel<{ factor: number }>({
        binary,
        plan: ({ outputs, attrs }) => ({
          calls: [{ export: 'run', args: ['x', 'y', sizeOf(outputs['y']!.shape), attrs.factor] }],
          ...plan,
        }),
        ...more,
      }),
    ],
  });
}
