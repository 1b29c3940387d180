import { wasmKernel, type WasmKernel } from '@evenkeel/core';
import logSum from './log-sum.wasm.ts';
import topK from './top-k.wasm.ts';

/** The widest panel: 16 items of whole words. */
const panelBytes = (depth: number): number => Math.ceil(depth / 4) * 256;

export const topKWasm = (): WasmKernel<{ k: number; scale: number }> =>
  wasmKernel({
    binary: topK,
    plan: ({ inputs, attrs: { k, scale } }) => {
      const [q, depth] = inputs['queries']!.shape as [number, number];
      const [n, words] = inputs['items']!.shape as [number, number];
      const args = ['queries', 'items', 'scales', 'offsets', 'values', 'indices', q, n, depth, words, k, scale, 'scratch'];
      return { scratch: { scratch: 256 + panelBytes(depth) }, calls: [{ export: 'topK', args }] };
    },
  });

export const logSumWasm = (): WasmKernel<{ scale: number }> =>
  wasmKernel({
    binary: logSum,
    plan: ({ inputs, attrs: { scale } }) => {
      const [b, depth] = inputs['bank']!.shape as [number, number];
      const [n, words] = inputs['items']!.shape as [number, number];
      const args = ['bank', 'items', 'scales', 'offsets', 'exclude', 'largest', 'sum', b, n, depth, words, scale, 'scratch'];
      return { scratch: { scratch: 512 + panelBytes(depth) }, calls: [{ export: 'logSum', args }] };
    },
  });
