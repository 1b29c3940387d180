// Trains the networks of the page and writes their weights: node tools/run.mjs docs/site/inpainting/train.ts
// Both see the same patches with the same holes, from the same seed, at the same learning rates.
import '@tensorflow/tfjs-backend-cpu';
import '@evenkeel/core/register-gradients';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { abs, dispose, div, mean, sub, tensor, tidy, train as optimizers, type Scalar, type Tensor } from '@tensorflow/tfjs-core';
import { wasm } from '@evenkeel/backend-wasm';
import { backend, fromTensors, random, use, writeSafetensors, type Random } from '@evenkeel/core';
import { inpaint, type Generator } from '../../../recipes/region-norm/generator.ts';
import { build, SCHEMES, SIDE, type Scheme } from './network.ts';
import { crop, readPpm, type Picture } from './ppm.ts';

const STEPS = Number(process.argv[2] ?? 2000);
const BATCH = 4;
const LEARNING_RATE = 2e-3;
const TESTED_ON = 32;

const here = 'docs/site/inpainting';
const photographs = 'recipes/region-norm/pictures';
const read = async (path: string): Promise<Picture> => readPpm(await readFile(path));
const left = (picture: Picture): Picture => crop(picture, 0, 0, picture.width / 2, picture.height);
const right = (picture: Picture): Picture => crop(picture, picture.width / 2, 0, picture.width / 2, picture.height);

/** A whole number from 0 to `count` - 1. */
const below = (numbers: Random, count: number): number => numbers.integers(1, count)[0]!;

/** One or two strokes of a brush, as a visitor paints them: 1 is hole. */
function paintHole(numbers: Random): Float32Array {
  const mask = new Float32Array(SIDE * SIDE);
  for (let strokes = 1 + below(numbers, 2); strokes > 0; strokes--) {
    const radius = 3 + below(numbers, 5);
    let [x, y] = [8 + below(numbers, SIDE - 16), 8 + below(numbers, SIDE - 16)];
    let angle = numbers.uniform(1)[0]! * 2 * Math.PI;
    for (let length = 4 + below(numbers, 20); length > 0; length--) {
      for (let p = 0; p < mask.length; p++) if (Math.hypot((p % SIDE) - x, Math.floor(p / SIDE) - y) <= radius) mask[p] = 1;
      angle += (numbers.uniform(1)[0]! - 0.5) * 0.8;
      [x, y] = [x + Math.cos(angle), y + Math.sin(angle)];
    }
  }
  return mask;
}

/** Patches, half of them mirrored, each with a hole. */
function patches(pictures: readonly Picture[], count: number, numbers: Random): { picture: Tensor; mask: Tensor } {
  const cut = new Float32Array(count * SIDE * SIDE * 3);
  const masks = new Float32Array(count * SIDE * SIDE);
  for (let i = 0; i < count; i++) {
    const whole = pictures[below(numbers, pictures.length)]!;
    const { values } = crop(whole, below(numbers, whole.width - SIDE + 1), below(numbers, whole.height - SIDE + 1), SIDE, SIDE);
    const mirrored = below(numbers, 2) === 1;
    for (let p = 0; p < SIDE * SIDE; p++) {
      const from = (mirrored ? p - (p % SIDE) + SIDE - 1 - (p % SIDE) : p) * 3;
      cut.set(values.subarray(from, from + 3), (i * SIDE * SIDE + p) * 3);
    }
    masks.set(paintHole(numbers), i * SIDE * SIDE);
  }
  return { picture: tensor(cut, [count, SIDE, SIDE, 3]), mask: tensor(masks, [count, SIDE, SIDE, 1]) };
}

/** The mean error within holes. */
function holeError(generator: Generator, picture: Tensor, mask: Tensor): Scalar {
  return div(mean(abs(sub(inpaint(generator, picture, mask), picture))), mean(mask)) as Scalar;
}

async function learn(scheme: Scheme, pictures: readonly Picture[]): Promise<Generator> {
  const numbers = random(1).stream('patches');
  const generator = build(scheme);
  const optimizer = optimizers.adam(LEARNING_RATE);
  for (let done = 0; done < STEPS; done++) {
    // Adam has no setter.
    (optimizer as unknown as { learningRate: number }).learningRate = LEARNING_RATE * (1 - done / STEPS);
    const loss = tidy(() => {
      const { picture, mask } = patches(pictures, BATCH, numbers);
      return optimizer.minimize(() => holeError(generator, picture, mask), true, Object.values(generator.weights))!;
    });
    if (done % 50 === 0) console.log(scheme, done, (await loss.data())[0]);
    loss.dispose();
  }
  optimizer.dispose();
  return generator;
}

/** Peak signal-to-noise ratio in dB within the holes of pictures that were not learned from. */
async function quality(generator: Generator, pictures: readonly Picture[]): Promise<number> {
  const { picture, mask } = patches(pictures, TESTED_ON, random(2).stream('test'));
  const painted = inpaint(generator, picture, mask);
  const [before, after, holes] = [await picture.data(), await painted.data(), await mask.data()];
  dispose([picture, mask, painted]);
  let [squares, count] = [0, 0];
  for (let i = 0; i < before.length; i++) {
    if (holes[Math.floor(i / 3)] === 0) continue;
    squares += (before[i]! - after[i]!) ** 2;
    count++;
  }
  return -10 * Math.log10(squares / count);
}

use(wasm());
await backend('wasm');
const [astronaut, chelsea, coffee] = await Promise.all(
  ['astronaut', 'chelsea', 'coffee'].map((name) => read(`${photographs}/${name}.ppm`)),
);
const [brick, gravel] = await Promise.all(['brick', 'gravel'].map((name) => read(`${here}/pictures/${name}.ppm`)));
const learned = [astronaut!, chelsea!, left(brick!), left(gravel!)];
const tested = { coffee: coffee!, brick: right(brick!), gravel: right(gravel!) };

await mkdir(`${here}/weights`, { recursive: true });
const found: Record<string, Record<string, number>> = {};
for (const scheme of SCHEMES) {
  const generator = await learn(scheme, learned);
  found[scheme] = {};
  for (const [name, picture] of Object.entries(tested)) found[scheme][name] = Number((await quality(generator, [picture])).toFixed(2));
  const weights = await fromTensors(generator.weights, { float: 'F16' });
  await writeFile(
    `${here}/weights/${scheme}.safetensors`,
    writeSafetensors(weights, { steps: String(STEPS), madeBy: 'docs/site/inpainting/train.ts' }),
  );
  console.log(scheme, found[scheme]);
}
await writeFile(`${here}/weights/quality.json`, `${JSON.stringify({ steps: STEPS, batch: BATCH, decibels: found }, null, 2)}\n`);
