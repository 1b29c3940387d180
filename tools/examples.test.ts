// The examples of the guide run, compute what their pages say, and stand on the pages as they are here.
import { backends } from './test-backends.ts';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { engine } from '@tensorflow/tfjs-core';
import { backend } from '../packages/core/src/index.ts';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

const folder = join(import.meta.dirname, '../docs/examples');
const pages = ['norms', 'optim', 'guide'].map((name) => join(import.meta.dirname, '../docs', name));
const names = readdirSync(folder).sort();

/** Numbers, to four digits. */
function near(value: unknown): unknown {
  if (typeof value === 'number') return expect.closeTo(value, 3);
  if (Array.isArray(value)) return value.map(near);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, near(item)]));
}

/** What each example returns. */
const results: Record<string, object> = {
  adamp: {
    lengths: { SGDW: 4.4966, SGDP: 1.3547 },
    invariant: [
      ['channel', 'channel'],
      ['none', 'none'],
    ],
    rates: [0.005, 0.01, 0.01, 0.005, 0],
  },
  'counting-backend': {
    product: { flops: 1048576, bytes: 106496 },
    fused: { flops: 114880, bytes: 133120 },
    composed: { flops: 131200, bytes: 921860 },
  },
  'evo-norm': {
    groups: 24,
    s0: [0.3908, -0.1274, 1.5275, 0.9416, 1.948, 0, -0.1055, 1.5407],
    y: [0.4472, -0.8944, 0.75, 0.5, 0.625, 0, -0.4472, 0.6667],
    moving: [1.4, 1.4],
    b0: [0.5, -1.6903, 0.75, 0.5, 0.625, 0, -0.5, 0.6667],
  },
  'logistic-regression': {
    iterations: { 'batch-perceptron': 13, gd: 13, 'normalized-gd': 2 },
    answer: 'All 40 samples are on the right side after 2 iterations.',
    margin: 0.4562,
    bound: 6.4265,
    labels: [1, 0, 0],
  },
  'layer-norm': {
    y: [
      [-1, 1],
      [-1, 1],
    ],
    activated: [
      [-0.2689, 0.7311],
      [-0.2689, 0.7311],
    ],
    sum: [
      [0, 4],
      [9, 31],
    ],
    normalized: [
      [-1, 1],
      [-1, 1],
    ],
  },
  'region-norm': {
    y: [-1, 1, 0, 0],
    shift: 0.9995,
    count: [2, 2],
    mean: [[2], [100]],
    b: [-2, 2, 0, 0],
  },
  'rms-norm': {
    y: [
      [0.8485, 2.2627],
      [0.8485, 2.2627],
    ],
    sum: [
      [3.8485, 6.2627],
      [30.8485, 42.2627],
    ],
    normalized: [
      [0.7404, 2.4098],
      [0.8338, 2.2846],
    ],
  },
  'crms-norm': { compressed: [[1, 2]], y: [[0.4629, 0.9258, -1.3887]], same: [[0.4629, 0.9258, -1.3887]] },
  'l1-norm': {
    y: [
      [-1.125, -0.375, 1.5],
      [-1.125, -0.375, 1.5],
    ],
    deviation: [1.8333],
    inferred: [[-0.5454], [0.5454], [3.2727]],
  },
  'time-dependent-norm': {
    y: [
      [-1.0002, 1.0002],
      [-2, 2],
      [-2.9998, 2.9998],
    ],
    late: [2.9998, 2.9998],
    same: [
      [-2.9998, 2.9998],
      [-2.9998, 2.9998],
      [-2.9998, 2.9998],
    ],
  },
  'group-norm': { y: [-1.3416, -0.4472, -1.3416, -0.4472, 0.4472, 1.3416, 0.4472, 1.3416] },
  'instance-norm': { y: [-1, 1, -1, 1] },
  'batch-norm': { y: [[-0.9995], [0.9995]], mean: [1], variance: [1], inferred: [[0], [1.999]], same: [[0], [1.999]] },
  'weight-compander': {
    curve: [-1.1769, -1.0987, -0.9522, -0.7168, -0.4469, 0, 0.4469, 0.7168, 0.9522, 1.0987, 1.1769],
    companded: ['only'],
    changed: 0,
    slope: 1.4643,
    saturated: 0,
    layers: ['CompandedDense', 'Dense'],
    parameters: [11, 9],
  },
  'weight-standardization': {
    standardized: [-0.7559, -0.7559, -0.378, -0.378, 1.1339, 1.1339],
    layers: ['Conv2D', 'GroupNormalization', 'ReLU'],
    shape: [1, 4, 4, 8],
  },
  'batch-channel-norm': {
    mean: [2, -8, 4, 2],
    variance: [5, 65, 20, 8],
    same: [-1.3627, -0.3779, -0.7559, 1.1952, 1.3627, 0.3779, 0.7559, -1.1952],
    y: [-1.3627, -0.3779, -0.7559, 1.1952, 1.3627, 0.3779, 0.7559, -1.1952],
    dead: [],
    deadWithout: [1],
  },
  'power-norm': { dx: [[0.4], [1.2]], runningPhi: [5], emaGz: [2], inferred: [[0.4472], [1.3416]] },
  'unified-norm': {
    dx: [[0.36], [1.08]],
    runningVar: [1.4],
    normalized: [
      [1.6903, 3.3806],
      [5.0709, 10.1419],
    ],
    same: [
      [1.6903, 3.3806],
      [5.0709, 10.1419],
    ],
  },
  state: { merged: ['norm/moving_mean', 'norm/moving_variance'], both: [[4], [3]], again: [[4], [3]], reset: [[0], [1]] },
  'unmix-tns': { source: [4.4978, -0.7499], first: [1.7635, -0.7008], later: [0.2035, -0.0789], again: [1.7635, -0.7008], skipped: 0 },
  'swap-norms': {
    layer: 'GroupNormalization',
    replaced: [{ layer: 'norm', from: 'batch', to: 'group', kept: ['gamma', 'beta'], lost: ['moving_mean', 'moving_variance'], fresh: [] }],
  },
  'train-only': {
    trainable: 16,
    frozen: 90,
    learned: true,
    saved: ['norm/gamma', 'norm/beta', 'norm/moving_mean', 'norm/moving_variance'],
    logits: [16, 2],
  },
  'fold-norm': {
    layers: ['conv', 'relu', 'bn2', 'last'],
    results: [
      ['bn1', 'folded', 'conv'],
      ['bn2', 'kept'],
    ],
    same: true,
    parameters: { before: 214, after: 198 },
    values: 256,
  },
  'inspect-norms': { mean: 0.6667, dead: [2], rank: 1.9286, beta: 1.3872 },
  recurrent: { shape: [64, 3], learned: true },
  'keras-models': { layer: 'RMSNormalization', y: [[0.8485, 2.2627]] },
};

test('every example is known here', () => {
  expect(names).toEqual(Object.keys(results).sort());
});

/** tfjs-layers reads synchronously while it trains, which webgpu cannot in Node. */
const training = new Set(['recurrent']);

describe.each(backends)('on %s', (name) => {
  beforeEach(async () => {
    await backend(name);
    engine().startScope();
  });
  afterEach(() => engine().endScope());

  test.each(names.filter((example) => name !== 'webgpu' || !training.has(example)))('%s', async (example) => {
    const { main } = (await import(join(folder, example, 'index.ts'))) as { main(): Promise<object> };
    expect(await main()).toEqual(near(results[example]));
  });
});

test.each(names)('%s stands on a page of the guide', (example) => {
  const code = readFileSync(join(folder, example, 'index.ts'), 'utf8');
  const texts = pages.flatMap((at) =>
    readdirSync(at)
      .filter((page) => page.endsWith('.md'))
      .map((page) => readFileSync(join(at, page), 'utf8')),
  );
  expect(texts.filter((text) => text.includes(`\`\`\`ts\n${code}\`\`\``))).toHaveLength(1);
});
