import type { Tensor } from '@tensorflow/tfjs-core';
import { expect } from '../errors.ts';
import { sizeOf } from '../kernel.ts';
import { RandomBits, RandomNormal, RandomUniform } from './op.ts';
import { random, type Random } from './random.ts';

/** A seed, or a sequence: of that the next numbers are taken. */
export type RandomSource = number | Random;

function attributesOf(
  op: string,
  shape: readonly number[],
  source: RandomSource,
): { shape: readonly number[]; key: Random['key']; offset: number } {
  expect(Array.isArray(shape) && shape.every((length) => Number.isInteger(length) && length >= 0), op, 'shape', 'integers >= 0', shape);
  const sequence = typeof source === 'number' ? random(source) : source;
  expect(typeof sequence?.reserve === 'function', op, 'source', 'a seed, or what random(seed) gives', source);
  return { shape, ...sequence.reserve(sizeOf(shape)) };
}

/**
 * A tensor of random words, made on the running backend: the same as `random(seed).bits`.
 *
 * @param shape - of the tensor
 * @param source - a seed, or a sequence whose next numbers are taken
 * @returns an int32 tensor, all 32 bits of each element random
 * @throws EvenkeelError INVALID_ARGUMENT for a bad shape or seed
 *
 * @example
 * const words = randomBits([4], 7);
 */
export function randomBits(shape: readonly number[], source: RandomSource): Tensor {
  return RandomBits({}, attributesOf('randomBits', shape, source));
}

/**
 * A tensor of uniform numbers of [0, 1), made on the running backend: the same as `random(seed).uniform`, bit for bit, on every one.
 *
 * @param shape - of the tensor
 * @param source - a seed, or a sequence whose next numbers are taken
 * @returns a float32 tensor of multiples of 2^-24
 * @throws EvenkeelError INVALID_ARGUMENT for a bad shape or seed
 *
 * @example
 * const sequence = random(7).stream('dropout');
 * const kept = tf.less(randomUniform([32, 128], sequence), 0.9); // the next call gives others
 */
export function randomUniform(shape: readonly number[], source: RandomSource): Tensor {
  return RandomUniform({}, attributesOf('randomUniform', shape, source));
}

/**
 * A tensor of standard normal numbers, made on the running backend: on cpu and wasm the same as `random(seed).normal`, bit for bit; on webgpu
 * within 2e-6 of it, since a GPU rounds as it likes.
 *
 * @param shape - of the tensor
 * @param source - a seed, or a sequence whose next numbers are taken
 * @returns a float32 tensor
 * @throws EvenkeelError INVALID_ARGUMENT for a bad shape or seed
 *
 * @example
 * const weights = tf.mul(randomNormal([784, 128], random(1).stream('weights')), Math.sqrt(2 / 784));
 */
export function randomNormal(shape: readonly number[], source: RandomSource): Tensor {
  return RandomNormal({}, attributesOf('randomNormal', shape, source));
}
