import { tensor2d, type Tensor2D } from '@tensorflow/tfjs-core';
import { random } from '@evenkeel/core';
import { CLASSES, PIXELS, type Digits } from './digits.ts';

export interface Batch {
  /** [batch, 784], pixels from 0 to 1 */
  readonly x: Tensor2D;
  /** [batch, 10], 1 at the digit's class and 0 elsewhere */
  readonly labels: Tensor2D;
}

/** The digits of these numbers, on the running backend. */
export function gather({ images, labels }: Digits, numbers: ArrayLike<number>): Batch {
  const count = numbers.length;
  const pixels = new Float32Array(count * PIXELS);
  const wanted = new Float32Array(count * CLASSES);
  for (let i = 0; i < count; i++) {
    const from = numbers[i]! * PIXELS;
    for (let pixel = 0; pixel < PIXELS; pixel++) pixels[i * PIXELS + pixel] = images[from + pixel]! / 255;
    wanted[i * CLASSES + labels[numbers[i]!]!] = 1;
  }
  return { x: tensor2d(pixels, [count, PIXELS]), labels: tensor2d(wanted, [count, CLASSES]) };
}

/** Endless batches of `size` in a random order, epoch after epoch; the same for the same seed. */
export function* batchesOf(digits: Digits, size: number, seed: number): Generator<Batch, never> {
  const orders = random(seed).stream('orders');
  for (;;) {
    const order = orders.permutation(digits.count);
    for (let at = 0; at + size <= order.length; at += size) yield gather(digits, order.subarray(at, at + size));
  }
}
