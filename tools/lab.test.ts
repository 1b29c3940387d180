// What the site's training pages stand on: every norm that they offer learns, and what they draw of layers is so.
import './test-backends.ts';
import { memory } from '@tensorflow/tfjs-core';
import { backend } from '../packages/core/src/index.ts';
import { loadMnist } from '../packages/datasets/src/mnist/index.ts';
import { beforeAll, describe, expect, test } from 'vitest';
import { asDigit } from '../docs/site/lab/drawing.ts';
import { BINS, NORMS, OPTIMIZERS, type LayerReport, type OptimizerName } from '../docs/site/lab/protocol.ts';
import { histogram, makeTrainer, type Batch } from '../docs/site/lab/trainer.ts';

let batch: Batch;

beforeAll(async () => {
  await backend('wasm');
  const { images, labels } = await loadMnist({ split: 'train', limit: 64 });
  batch = { pixels: images, labels };
});

async function learn(norm: (typeof NORMS)[number], optimizer: OptimizerName, steps: number): Promise<number[]> {
  const trainer = makeTrainer({ norm, optimizer, learningRate: OPTIMIZERS[optimizer] }, 'convolutions');
  const losses: number[] = [];
  for (let step = 0; step < steps; step++) losses.push(await trainer.step(batch));
  trainer.dispose();
  return losses;
}

describe('the playground', () => {
  test.each(NORMS)('learns a batch with %s', async (norm) => {
    const losses = await learn(norm, 'adam', 25);
    expect(losses.at(-1)).toBeLessThan(0.6 * losses[0]!);
  });

  test.each(Object.keys(OPTIMIZERS) as OptimizerName[])('learns a batch by %s at the rate that it starts from', async (optimizer) => {
    const losses = await learn('batch', optimizer, 25);
    expect(losses.at(-1)).toBeLessThan(0.6 * losses[0]!);
  });

  test('knows what it has learned, and leaves nothing behind', async () => {
    await learn('batch', 'adam', 1);
    const before = memory().numTensors;
    const trainer = makeTrainer({ norm: 'instance', optimizer: 'adam', learningRate: 0.01 }, 'convolutions');
    for (let step = 0; step < 40; step++) await trainer.step(batch);
    expect(await trainer.accuracy(batch)).toBeGreaterThan(90);
    const first = await trainer.probabilities(batch.pixels.subarray(0, 784));
    expect(first.reduce((sum, share) => sum + share)).toBeCloseTo(1, 4);
    expect(first.indexOf(Math.max(...first))).toBe(batch.labels[0]);
    trainer.dispose();
    expect(memory().numTensors).toBe(before);
  });
});

async function look(norm: (typeof NORMS)[number]): Promise<LayerReport[]> {
  const trainer = makeTrainer({ norm, optimizer: 'sgd', learningRate: 0.1 }, { depth: 12 });
  const layers = await trainer.layers(batch);
  trainer.dispose();
  return layers;
}

describe('the microscope', () => {
  test('sees signals die in a deep network without a norm, and live with one', async () => {
    const [without, withNorm] = [await look('none'), await look('layer')];
    expect(without).toHaveLength(12);
    expect(without[11]!.deviation).toBeLessThan(without[0]!.deviation / 5);
    expect(withNorm[11]!.deviation).toBeCloseTo(1, 1);
    for (const { shares, channels, gradient } of [...without, ...withNorm]) {
      expect(shares.reduce((sum, share) => sum + share)).toBeCloseTo(1, 6);
      expect(channels).toBe(48);
      expect(gradient).toBeGreaterThan(0);
    }
  });

  test('counts what lies beyond at the ends', () => {
    const { shares, mean, deviation } = histogram([-100, -0.1, 0.1, 100]);
    expect([shares[0], shares[BINS / 2 - 1], shares[BINS / 2], shares[BINS - 1]]).toEqual([0.25, 0.25, 0.25, 0.25]);
    expect(mean).toBeCloseTo(0, 9);
    expect(deviation).toBeCloseTo(Math.sqrt((100 ** 2 + 0.1 ** 2) / 2), 6);
  });
});

/** A bar in a square of side 224. */
const bar = (left: number, top: number, width: number, height: number): Float32Array =>
  Float32Array.from({ length: 224 * 224 }, (_, p) => {
    const [x, y] = [p % 224, Math.floor(p / 224)];
    return x >= left && x < left + width && y >= top && y < top + height ? 1 : 0;
  });

describe('a drawn digit', () => {
  test('is made to fit and centered, wherever it was drawn and however large', () => {
    const digit = asDigit(bar(10, 20, 20, 100), 224);
    const rows = Array.from({ length: 28 }, (_, y) => digit.subarray(y * 28, y * 28 + 28).reduce((sum, ink) => sum + ink));
    expect(rows.map((ink) => ink > 0)).toEqual(rows.map((_, y) => y >= 4 && y < 24));
    expect(rows[10]).toBeCloseTo(4, 5);
    expect(asDigit(bar(150, 100, 20, 100), 224)).toEqual(digit);
    expect(asDigit(bar(50, 50, 10, 50), 224)).toEqual(digit);
  });

  test('stays empty where nothing was drawn', () => {
    expect(asDigit(new Float32Array(100), 10).every((ink) => ink === 0)).toBe(true);
  });
});
