import { tensor, type Tensor } from '@tensorflow/tfjs-core';
import { expect } from '../errors.ts';
import { sizeOf, wasmKernel, wgslKernel, type Kernel } from '../kernel.ts';
import { defineOp } from '../op.ts';
import { version } from '../version.ts';
import { normalOf, uniformOf } from './normal.ts';
import { wordsOf } from './philox.ts';
import { BLOCK, wordsAt, type RandomPlace } from './random.ts';
import binary from './random.wasm.ts';
import philoxText from './philox.wgsl.ts';
import shader from './random.wgsl.ts';

/** What the three ops draw: as many values as `shape` holds, from a place on. */
export type RandomAttributes = RandomPlace & { readonly shape: readonly number[] };

const owner = { name: '@evenkeel/core', version };
const WORKGROUP = 64;

/** Kernels by the name of the WASM export and of the WGSL entry point. */
function kernels(name: string, entryPoint: string): readonly Kernel<RandomAttributes>[] {
  return [
    wasmKernel<RandomAttributes>({
      binary,
      plan: ({ outputs, attrs: { key, offset } }) => ({
        calls: [{ export: name, args: ['y', sizeOf(outputs['y']!.shape), ...wordsOf(offset), ...key] }],
      }),
    }),
    wgslKernel<RandomAttributes>({
      shaders: { random: { code: philoxText + shader } },
      plan: ({ outputs, attrs: { key, offset } }) => {
        const size = sizeOf(outputs['y']!.shape);
        const [offsetLow, offsetHigh] = wordsOf(offset);
        const uniforms = { size, offsetLow, offsetHigh, key0: key[0], key1: key[1] };
        return { dispatches: [{ shader: 'random', entryPoint, uniforms, workgroups: Math.ceil(size / (BLOCK * WORKGROUP)) }] };
      },
    }),
  ];
}

const isLength = (length: number): boolean => Number.isInteger(length) && length >= 0;
const isWord = (value: unknown): boolean => Number.isInteger(value) && (value as number) >= 0 && (value as number) < 2 ** 32;

function check(op: string, { shape, key, offset }: RandomAttributes): void {
  expect(shape.every(isLength) && sizeOf(shape) < 2 ** 31, op, 'shape', 'integers >= 0 with a product below 2^31', shape);
  expect(key.length === 2 && key.every(isWord), op, 'key', 'two integers from 0 to 2^32 - 1', key);
  expect(Number.isSafeInteger(offset) && offset >= 0, op, 'offset', 'an integer from 0 to 2^53 - 1', offset);
}

function drawn({ key, offset, shape }: RandomAttributes): { words: Uint32Array; size: number; shape: number[] } {
  const size = sizeOf(shape);
  return { words: wordsAt({ key, offset }, size), size, shape: [...shape] };
}

/** Random words of a place, as int32. The three ops have a gradient, of nothing: so their kernels serve under a tape, too. */
export const RandomBits = /* @__PURE__ */ defineOp({
  name: 'RandomBits',
  owner,
  inputs: {},
  attrs: { shape: [], key: [0, 0], offset: 0 } as RandomAttributes,
  check: (_, attrs) => check('RandomBits', attrs),
  output: (_, { shape }) => ({ shape, dtype: 'int32' }),
  reference: (_, attrs): Tensor => {
    const { words, size, shape } = drawn(attrs);
    return tensor(new Int32Array(words.buffer, 0, size), shape, 'int32');
  },
  gradient: () => ({}),
  kernels: () => kernels('bits', 'bits'),
});

/** Uniform numbers of [0, 1). */
export const RandomUniform = /* @__PURE__ */ defineOp({
  name: 'RandomUniform',
  owner,
  inputs: {},
  attrs: { shape: [], key: [0, 0], offset: 0 } as RandomAttributes,
  check: (_, attrs) => check('RandomUniform', attrs),
  output: (_, { shape }) => ({ shape, dtype: 'float32' }),
  reference: (_, attrs): Tensor => {
    const { words, size, shape } = drawn(attrs);
    return tensor(uniformOf(words, size), shape);
  },
  gradient: () => ({}),
  kernels: () => kernels('uniform', 'uniformNumbers'),
});

/** Standard normal numbers. */
export const RandomNormal = /* @__PURE__ */ defineOp({
  name: 'RandomNormal',
  owner,
  inputs: {},
  attrs: { shape: [], key: [0, 0], offset: 0 } as RandomAttributes,
  check: (_, attrs) => check('RandomNormal', attrs),
  output: (_, { shape }) => ({ shape, dtype: 'float32' }),
  reference: (_, attrs): Tensor => {
    const { words, size, shape } = drawn(attrs);
    return tensor(normalOf(words, size), shape);
  },
  gradient: () => ({}),
  kernels: () => kernels('normal', 'normalNumbers'),
});
