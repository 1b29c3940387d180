import { wgslKernel, type WgslKernel, type WgslShader } from '@evenkeel/core';
import logSumMerge from './log-sum-merge.wgsl.ts';
import logSum from './log-sum.wgsl.ts';
import merge from './merge.wgsl.ts';
import topK from './top-k.wgsl.ts';

/** The longest lists that an invocation keeps. */
const SHORT = 16;
const LONG = 64;
/** Invocations that keep a device busy, and the least work of one. */
const INVOCATIONS = 4096;
const LEAST = 64;
/** Lists that one invocation merges. */
const MOST_CHUNKS = 256;

const coded = (code: string): string => code.replace('alias Item = f32;', 'alias Item = i32;').replace('CODED = false', 'CODED = true');
const long = (code: string): WgslShader => ({ code: code.replace(`LENGTH = ${SHORT}u`, `LENGTH = ${LONG}u`) });
const groupsOf = (invocations: number): number => Math.ceil(invocations / 64);

/** Into how many chunks `count` is cut, and how long one is, where `others` are worked on beside each other. */
function cut(count: number, others: number): { chunk: number; chunks: number } {
  const wanted = Math.min(Math.ceil(INVOCATIONS / others), Math.ceil(count / LEAST), MOST_CHUNKS);
  const chunk = Math.ceil(count / wanted);
  return { chunk, chunks: Math.ceil(count / chunk) };
}

/** Two dispatches: lists of chunks of the items, then their merge. */
export const topKWgsl = (): WgslKernel<{ k: number; scale: number }> =>
  wgslKernel({
    shaders: {
      floats: { code: topK },
      floatsLong: long(topK),
      codes: { code: coded(topK) },
      codesLong: long(coded(topK)),
      merge: { code: merge },
      mergeLong: long(merge),
    },
    supports: ({ attrs: { k } }) => (k > LONG ? `k is ${k}, and a list holds ${LONG}` : undefined),
    plan: ({ inputs, attrs: { k, scale } }) => {
      const [q, depth] = inputs['queries']!.shape as [number, number];
      const [n, words] = inputs['items']!.shape as [number, number];
      const { chunk, chunks } = cut(n, q);
      const suffix = k > SHORT ? 'Long' : '';
      const shifted = inputs['offsets'] === undefined ? 0 : 1;
      const shape = [q * chunks * k];
      return {
        scratch: { lists: { shape, dtype: 'float32' }, found: { shape, dtype: 'int32' } },
        dispatches: [
          {
            shader: (inputs['scales'] === undefined ? 'floats' : 'codes') + suffix,
            uniforms: { q, n, depth, words, k, chunk, chunks, shifted, scale },
            workgroups: groupsOf(q * chunks),
          },
          { shader: `merge${suffix}`, uniforms: { q, k, chunks, none: -Infinity }, workgroups: groupsOf(q) },
        ],
      };
    },
  });

/** Two dispatches: chunks of the bank, then their sum. */
export const logSumWgsl = (): WgslKernel<{ scale: number }> =>
  wgslKernel({
    shaders: { floats: { code: logSum }, codes: { code: coded(logSum) }, merge: { code: logSumMerge } },
    plan: ({ inputs, attrs: { scale } }) => {
      const [b, depth] = inputs['bank']!.shape as [number, number];
      const [n, words] = inputs['items']!.shape as [number, number];
      const { chunk, chunks } = cut(b, n);
      const shifted = inputs['offsets'] === undefined ? 0 : 1;
      const excluded = inputs['exclude'] === undefined ? 0 : 1;
      return {
        scratch: { parts: { shape: [n * chunks * 2], dtype: 'float32' } },
        dispatches: [
          {
            shader: inputs['scales'] === undefined ? 'floats' : 'codes',
            uniforms: { b, n, depth, words, chunk, chunks, shifted, excluded, scale },
            workgroups: groupsOf(n * chunks),
          },
          { shader: 'merge', uniforms: { n, chunks }, workgroups: groupsOf(n) },
        ],
      };
    },
  });
