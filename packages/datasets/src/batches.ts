import { expect, random } from '@evenkeel/core';
import type { LabelledImages } from './images.ts';

export interface BatchOptions {
  /** Images per batch. The last of an epoch may have fewer. */
  readonly batchSize: number;
  /** An integer >= 0: the same seed gives the same order. Left out: the order of the data set. */
  readonly seed?: number;
  /** How often all images come. Default 1; Infinity goes on for ever. */
  readonly epochs?: number;
  /** Leaves out a last batch that is not full. Default false. */
  readonly dropRemainder?: boolean;
}

export interface Batch<Pixels extends Float32Array | Uint8Array = Float32Array> {
  /** [size, height, width], the caller's own. */
  readonly images: Pixels;
  /** [size] */
  readonly labels: Int32Array;
  readonly size: number;
  /** Counted from 0. */
  readonly epoch: number;
  /** Counted from 0 through all epochs. */
  readonly step: number;
}

/**
 * The images of a data set in batches, each epoch in a random order of its own.
 *
 * @param data - images and labels
 * @param options - `batchSize`, and optionally `seed`, `epochs`, `dropRemainder`
 * @throws EvenkeelError INVALID_ARGUMENT for an option that is out of range, at the call
 *
 * @example
 * for (const { images, labels, size } of batches(loadDigits(), { batchSize: 32, seed: 1, epochs: 2 })) {
 *   const x = tf.tensor2d(images, [size, 64]);
 * }
 */
export function batches<Pixels extends Float32Array | Uint8Array>(
  data: LabelledImages<Pixels>,
  options: BatchOptions,
): Generator<Batch<Pixels>, void> {
  const { batchSize, seed, epochs = 1 } = options;
  const op = 'batches';
  expect(Number.isInteger(batchSize) && batchSize >= 1, op, 'batchSize', 'an integer >= 1', batchSize);
  expect(epochs === Infinity || (Number.isInteger(epochs) && epochs >= 0), op, 'epochs', 'an integer >= 0 or Infinity', epochs);
  expect(data.count > 0, op, 'data', 'at least one image', data.count);
  expect(seed === undefined || (Number.isSafeInteger(seed) && seed >= 0), op, 'seed', 'an integer >= 0', seed);
  return generate(data, options);
}

function* generate<Pixels extends Float32Array | Uint8Array>(
  { images, labels, count }: LabelledImages<Pixels>,
  { batchSize, seed, epochs = 1, dropRemainder = false }: BatchOptions,
): Generator<Batch<Pixels>, void> {
  const pixels = images.length / count;
  const inOrder = Int32Array.from({ length: count }, (_, i) => i);
  const end = dropRemainder ? count - (count % batchSize) : count;
  // Without a full batch there would be no end to epochs without batches.
  const rounds = end > 0 ? epochs : 0;
  let step = 0;
  for (let epoch = 0; epoch < rounds; epoch++) {
    const order = seed === undefined ? inOrder : random(seed).stream('batches').stream(epoch).permutation(count);
    for (let at = 0; at < end; at += batchSize) {
      const chosen = order.subarray(at, Math.min(at + batchSize, end));
      const batch = new (images.constructor as new (length: number) => Pixels)(chosen.length * pixels);
      chosen.forEach((from, to) => batch.set(images.subarray(from * pixels, (from + 1) * pixels), to * pixels));
      yield { images: batch, labels: Int32Array.from(chosen, (i) => labels[i]!), size: chosen.length, epoch, step: step++ };
    }
  }
}
