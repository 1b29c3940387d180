// Two classes of 28 x 28 pictures, so many of each, drawn anew with every seed.
import { random } from '@evenkeel/core';
import { loadMnist } from '@evenkeel/datasets/mnist';
import { fashionFolder, picturesOf } from '../fashion-mnist/index.ts';

const PIXELS = 784;
/** Of MNIST: enough that each digit has 1,500 and more. */
const DIGITS = 20_000;

/** A matrix of samples from 0 to 1, and 0 or 1 for each. */
export interface Samples {
  readonly x: { readonly values: Float64Array; readonly shape: readonly [number, number] };
  readonly y: Int8Array;
}

/** Pictures of a class, each of 784 values from 0 to 255. */
type Pool = readonly ArrayLike<number>[];

let clothes: Promise<readonly [Pool, Pool]> | undefined;
let digits: Promise<ReadonlyMap<number, Pool>> | undefined;

/** Fashion-MNIST's classes 0, t-shirts, and 1, trousers. */
function readClothes(): Promise<readonly [Pool, Pool]> {
  return (clothes ??= Promise.all([picturesOf(fashionFolder(), 0), picturesOf(fashionFolder(), 1)]));
}

async function byDigit(): Promise<ReadonlyMap<number, Pool>> {
  const { images, labels, count } = await loadMnist({ split: 'train', raw: true, limit: DIGITS });
  const pools = new Map<number, Uint8Array[]>(Array.from({ length: 10 }, (_, digit) => [digit, []]));
  for (let i = 0; i < count; i++) pools.get(labels[i]!)!.push(images.subarray(i * PIXELS, (i + 1) * PIXELS));
  return pools;
}

/** `counts[0]` pictures of the first pool, with label 0, and `counts[1]` of the second, with label 1. */
export function draw(pools: readonly [Pool, Pool], counts: readonly [number, number], seed: number): Samples {
  const total = counts[0] + counts[1];
  const values = new Float64Array(total * PIXELS);
  const y = new Int8Array(total);
  let row = 0;
  pools.forEach((pool, label) => {
    const order = random(seed).stream('draw').stream(label).permutation(pool.length).subarray(0, counts[label]);
    for (const index of order) {
      const picture = pool[index]!;
      for (let i = 0; i < PIXELS; i++) values[row * PIXELS + i] = picture[i]! / 255;
      y[row++] = label;
    }
  });
  return { x: { values, shape: [total, PIXELS] }, y };
}

export async function drawClothes(counts: readonly [number, number], seed: number): Promise<Samples> {
  return draw(await readClothes(), counts, seed);
}

export async function drawDigits(pair: readonly [number, number], counts: readonly [number, number], seed: number): Promise<Samples> {
  const pools = await (digits ??= byDigit());
  return draw([pools.get(pair[0])!, pools.get(pair[1])!], counts, seed);
}

/** One sample (0.5, -1) of class 1, and n - 1 samples (-0.5, -1) of class 0. */
export function worstCase(n: number): Samples {
  return {
    x: { values: Float64Array.from({ length: 2 * n }, (_, i) => (i % 2 === 1 ? -1 : i === 0 ? 0.5 : -0.5)), shape: [n, 2] },
    y: Int8Array.from({ length: n }, (_, i) => (i === 0 ? 1 : 0)),
  };
}

/** 60 normal samples of 8 features, 0.1 and more from a random hyperplane through 0. */
export function smallSeparable(seed: number): Samples {
  const [count, width] = [60, 8];
  const normal = random(seed).stream('normal').normal(width);
  const norm = Math.hypot(...normal);
  const values = Float64Array.from(
    random(seed)
      .stream('samples')
      .normal(count * width),
  );
  const y = new Int8Array(count);
  for (let row = 0; row < count; row++) {
    let distance = 0;
    for (let j = 0; j < width; j++) distance += (values[row * width + j]! * normal[j]!) / norm;
    y[row] = distance > 0 ? 1 : 0;
    for (let j = 0; j < width; j++) values[row * width + j]! += ((distance > 0 ? 0.1 : -0.1) * normal[j]!) / norm;
  }
  return { x: { values, shape: [count, width] }, y };
}
