import { wasmKernel, type KernelCall, type WasmKernel, type WasmPlan } from '@evenkeel/core';
import { parameters } from '../wasm-parameters.ts';
import { asSets, type RegionAttributes, type StatisticsAttributes } from './attributes.ts';
import binary from './region-norm.wasm.ts';

/** Sizes that all exports take, and the bytes of scratch memory with `narrow` arrays of float32 for each region: see the layout in the kernel. */
function sizesOf(
  { inputs, attrs: { regions, statistics } }: KernelCall<StatisticsAttributes>,
  narrow: number,
): { sizes: number[]; scratch: number } {
  const { sets, positions, channels } = asSets(inputs['x']!.shape, statistics);
  const room = 16 * Math.ceil(channels / 4);
  return { sizes: [sets, positions, channels, regions], scratch: 528 + 12 * regions + 2 * room + regions * (4 + narrow) * room };
}

const epsilonArgs = ({ epsilon, epsilonMode }: RegionAttributes): number[] => [epsilon, epsilonMode === 'official' ? 1 : 0];

export const regionMomentsWasm = (): WasmKernel<StatisticsAttributes> =>
  wasmKernel({
    binary,
    plan: (call): WasmPlan => {
      const { sizes, scratch } = sizesOf(call, 0);
      return { scratch: { scratch }, calls: [{ export: 'moments', args: ['x', 'labels', 'statistics', 'scratch', ...sizes] }] };
    },
  });

export const regionMomentsGradWasm = (): WasmKernel<StatisticsAttributes> =>
  wasmKernel({
    binary,
    plan: (call): WasmPlan => {
      const { sizes, scratch } = sizesOf(call, 2);
      const args = ['x', 'labels', 'statistics', 'dstatistics', 'y', 'scratch', ...sizes];
      return { scratch: { scratch }, calls: [{ export: 'momentsGradient', args }] };
    },
  });

export const regionNormWasm = (): WasmKernel<RegionAttributes> =>
  wasmKernel({
    binary,
    plan: (call): WasmPlan => {
      const { sizes, scratch } = sizesOf(call, 1);
      const affine = parameters(call, call.attrs.regions * sizes[2]!, { gamma: 1, beta: 0 });
      const args = ['x', 'labels', ...affine.args, 'y', 'statistics', 'scratch', ...sizes, ...epsilonArgs(call.attrs)];
      return { scratch: { ...affine.scratch, scratch }, calls: [...affine.fills, { export: 'forward', args }] };
    },
  });

export const regionNormGradWasm = (): WasmKernel<RegionAttributes> =>
  wasmKernel({
    binary,
    plan: (call): WasmPlan => {
      const { sizes, scratch } = sizesOf(call, 3);
      const count = call.attrs.regions * sizes[2]!;
      const affine = parameters(call, count, { gamma: 1 });
      const before = ['x', 'labels', 'dy', 'statistics', 'dstatistics', ...affine.args];
      const args = [...before, 'dx', 'dgamma', 'dbeta', 'scratch', 'sums', ...sizes, ...epsilonArgs(call.attrs)];
      return { scratch: { ...affine.scratch, scratch, sums: 16 * count }, calls: [...affine.fills, { export: 'gradient', args }] };
    },
  });

export const mappedRegionNormWasm = (): WasmKernel<RegionAttributes> =>
  wasmKernel({
    binary,
    plan: (call): WasmPlan => {
      const { sizes, scratch } = sizesOf(call, 1);
      const args = ['x', 'labels', 'affine', 'y', 'statistics', 'scratch', ...sizes, ...epsilonArgs(call.attrs)];
      return { scratch: { scratch }, calls: [{ export: 'mapped', args }] };
    },
  });

export const mappedRegionNormGradWasm = (): WasmKernel<RegionAttributes> =>
  wasmKernel({
    binary,
    plan: (call): WasmPlan => {
      const { sizes, scratch } = sizesOf(call, 3);
      const before = ['x', 'labels', 'dy', 'affine', 'statistics', 'dstatistics'];
      const args = [...before, 'dx', 'daffine', 'scratch', ...sizes, ...epsilonArgs(call.attrs)];
      return { scratch: { scratch }, calls: [{ export: 'mappedGradient', args }] };
    },
  });
