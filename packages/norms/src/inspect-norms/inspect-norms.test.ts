import { backends as everywhere } from '../../../../tools/test-backends.ts';
import { losses as tfLosses, memory, ones, sum, tensor, zeros, type Tensor, type Variable } from '@tensorflow/tfjs-core';
import { input, layers, model as functional, sequential, type LayersModel, type SymbolicTensor } from '@tensorflow/tfjs-layers';
import { parseHTML } from 'linkedom';
import { beforeEach, describe, expect, test } from 'vitest';
import { noise, onEach } from '../../test/host.ts';
import { failure, numbers, start, values } from '../../test/models.ts';
import { BatchNormalization, LayerNormalization, UnifiedNormalization } from '../layers.ts';
import { plotNorms } from '../plot.ts';
import { effectiveRank, eigenvalues } from './effective-rank.ts';
import { inspectNorms, type NormsReport } from './index.ts';
import { statisticsOf } from './statistics.ts';

const square = (y: Tensor | Tensor[]): Tensor => tfLosses.meanSquaredError(zeros((y as Tensor).shape), y as Tensor);

beforeEach(() => start('cpu'));

describe('eigenvalues', () => {
  test('of a matrix that is known: 2 beside -1, whose eigenvalues are 2 - 2 cos', () => {
    const n = 40;
    const matrix = Array.from({ length: n }, (_, i) => Float64Array.from({ length: n }, (__, j) => [2, -1][Math.abs(i - j)] ?? 0));
    eigenvalues(matrix).forEach((value, k) => expect(value).toBeCloseTo(2 - 2 * Math.cos(((k + 1) * Math.PI) / (n + 1)), 12));
  });

  test('of a full matrix: its trace, the trace of its square, and its determinant', () => {
    const factor = [noise(4, 1), noise(4, 2), noise(4, 3), noise(4, 4)];
    const matrix = factor.map((a) => Float64Array.from(factor, (b) => a.reduce((total, value, k) => total + value * b[k]!, 0)));
    const trace = matrix.reduce((total, row, i) => total + row[i]!, 0);
    const squares = matrix.reduce((total, row) => total + row.reduce((one, value) => one + value * value, 0), 0);
    const found = eigenvalues(matrix.map((row) => row.slice()));
    expect(found.reduce((a, b) => a + b, 0)).toBeCloseTo(trace, 12);
    expect(found.reduce((a, b) => a + b * b, 0)).toBeCloseTo(squares, 12);
    expect(found).toEqual(found.toSorted((a, b) => a - b));
  });
});

const rows = (list: number[][]): Float64Array[] => list.map((row) => Float64Array.from(row));

describe('the effective rank', () => {
  test.each<[string, number[][], number]>([
    ['1 on a line', [0, 1, 2, 5].map((t) => [t, 2 * t, -t]), 1],
    [
      '2 on a circle',
      [
        [1, 0, 3],
        [0, 1, 3],
        [-1, 0, 3],
        [0, -1, 3],
      ],
      2,
    ],
    [
      '0 where all are the same',
      [
        [1, 2],
        [1, 2],
        [1, 2],
      ],
      0,
    ],
    ['0 of a single one', [[1, 2]], 0],
    ['0 of none', [], 0],
  ])('is %s', (_, list, wanted) => {
    expect(effectiveRank(rows(list))).toBeCloseTo(wanted, 6);
  });

  test('is the same where there are more dimensions than rows', () => {
    // Singular values 2 sqrt(2) and sqrt(2): shares 2/3 and 1/3.
    const wide = rows([
      [2, 0, 0, 0, 0],
      [-2, 0, 0, 0, 0],
      [0, 1, 0, 0, 0],
      [0, -1, 0, 0, 0],
    ]);
    const tall = wide.map((row) => row.slice(0, 2));
    const wanted = Math.exp((2 / 3) * Math.log(3 / 2) + (1 / 3) * Math.log(3));
    expect(effectiveRank(wide)).toBeCloseTo(wanted, 9);
    expect(effectiveRank(tall)).toBeCloseTo(wanted, 9);
  });
});

describe('statistics', () => {
  const options = { outlierDeviations: 3, samples: 64 };
  test('of channels that stand last, or first', () => {
    const last = statisticsOf([1, 10, 3, 10, 5, 10], [3, 2], 1, options);
    expect(last).toMatchObject({ mean: 6.5, channelMeans: [3, 10], deadChannels: [1], largest: 10, nonFinite: 0, outliers: 0 });
    expect(last.channelVariances[0]).toBeCloseTo(8 / 3, 12);
    expect(last.variance).toBeCloseTo((5.5 ** 2 + 3.5 ** 2 + 1.5 ** 2 + 3 * 3.5 ** 2) / 6, 12);
    expect(last.effectiveRank).toBeCloseTo(1, 6);
    const first = statisticsOf([1, 3, 5, 10, 10, 10], [2, 3], 0, options);
    expect({ ...first, shape: [] }).toEqual({ ...last, shape: [] });
  });

  test('count NaN and infinity, and leave them out', () => {
    const found = statisticsOf([1, Number.NaN, 3, Infinity, 5, 2], [3, 2], 1, options);
    expect(found).toMatchObject({ channelMeans: [3, 2], nonFinite: 1 / 3, deadChannels: [1], mean: 2.75 });
  });

  test('find outliers', () => {
    const values = [...noise(199), 1000];
    expect(statisticsOf(values, [100, 2], 1, options)).toMatchObject({ outliers: 1 / 200, largest: 1000 });
  });

  test('of nothing', () => {
    expect(statisticsOf([], [0, 2], 1, options)).toMatchObject({
      mean: 0,
      variance: 0,
      outliers: 0,
      effectiveRank: 0,
      deadChannels: [0, 1],
    });
  });
});

const network = (): LayersModel =>
  sequential({
    layers: [
      layers.dense({ name: 'dense', units: 4, inputShape: [3] }),
      new BatchNormalization({ name: 'bn' }),
      layers.reLU({ name: 'relu' }),
      new LayerNormalization({ name: 'ln' }),
      layers.dense({ units: 2 }),
    ],
  });

const failing = (): never => {
  throw new Error('of the loss');
};

describe('inspectNorms', () => {
  test('says what passes each norm, on each backend', async () => {
    await onEach(everywhere, async () => {
      const model = network();
      const { norms, training } = await inspectNorms(model, numbers([32, 3]), { training: true });
      expect(training).toBe(true);
      expect(norms.map(({ layer, className, call }) => [layer, className, call])).toEqual([
        ['bn', 'BatchNormalization', 0],
        ['ln', 'LayerNormalization', 0],
      ]);
      const { output } = norms[0]!;
      expect(output.shape).toEqual([32, 4]);
      output.channelMeans.forEach((mean) => expect(mean).toBeCloseTo(0, 5));
      output.channelVariances.forEach((variance) => expect(variance).toBeCloseTo(1, 1));
      // A dense layer makes four channels of three numbers.
      expect(output.effectiveRank).toBeGreaterThan(2);
      expect(output.effectiveRank).toBeLessThan(3.001);
      expect(norms[0]!.gradients).toBeUndefined();
    });
  });

  test('gives the gradients that autodiff gives', async () => {
    await onEach(everywhere, async () => {
      const norm = new LayerNormalization({ name: 'ln', inputShape: [3] });
      const model = sequential({ layers: [norm] });
      const x = tensor([[1, 2, 4]]);
      const report = await inspectNorms(model, x, { loss: (y) => sum(y as Tensor) });
      const { input: before, output: behind, weights } = report.norms[0]!.gradients!;
      // The sum of a row is always the sum of beta: nothing comes through.
      expect(behind).toBeCloseTo(Math.sqrt(3), 5);
      expect(before).toBeCloseTo(0, 4);
      expect(weights['beta']).toBeCloseTo(Math.sqrt(3), 5);
      const normalized = report.norms[0]!.output;
      expect(weights['gamma']).toBeCloseTo(Math.sqrt(3 * normalized.variance), 4);
      expect(report.loss).toBeCloseTo(3 * normalized.mean, 5);
    });
  });

  test('leaves the model and the memory as they were', async () => {
    const model = sequential({ layers: [new BatchNormalization({ inputShape: [3] }), new UnifiedNormalization()] });
    const x = numbers([8, 3]);
    const state = await Promise.all(model.getWeights().map(values));
    const calls = model.layers.map(({ call }) => call);
    await inspectNorms(model, x, { loss: square });
    const before = memory().numTensors;
    await inspectNorms(model, x, { loss: square });
    await inspectNorms(model, x);
    expect(memory().numTensors).toBe(before);
    expect(await Promise.all(model.getWeights().map(values))).toEqual(state);
    expect(model.layers.map(({ call }) => call)).toEqual(calls);
    expect(model.layers.some((layer) => Object.hasOwn(layer, 'call'))).toBe(false);
  });

  test('sees layers that are used twice, and models inside of models', async () => {
    const inner = sequential({
      name: 'inner',
      layers: [new LayerNormalization({ name: 'norm', inputShape: [3] }), layers.dense({ units: 3 })],
    });
    const x = input({ shape: [3] });
    const y = inner.apply(inner.apply(x)) as SymbolicTensor;
    const { norms } = await inspectNorms(functional({ inputs: x, outputs: y }), numbers([8, 3]), { loss: square });
    expect(norms.map(({ layer, call }) => [layer, call])).toEqual([
      ['inner/norm', 0],
      ['inner/norm', 1],
    ]);
    expect(norms[0]!.gradients!.weights).toEqual(norms[1]!.gradients!.weights);
    expect(norms[0]!.gradients!.output).not.toBe(norms[1]!.gradients!.output);
  });

  test('takes other layers, and tokens before all that learns', async () => {
    const model = sequential({
      layers: [layers.embedding({ name: 'embedding', inputDim: 5, outputDim: 4, inputShape: [3] }), new LayerNormalization({ name: 'ln' })],
    });
    const tokens = tensor([[0, 1, 4]], [1, 3], 'int32');
    const { norms } = await inspectNorms(model, tokens, { loss: square, layers: ({ name }) => name === 'embedding' || name === 'ln' });
    expect(norms.map(({ layer }) => layer)).toEqual(['embedding', 'ln']);
    expect(norms[0]!.gradients).toMatchObject({ input: undefined });
    expect(norms[0]!.gradients!.output).toBe(norms[1]!.gradients!.input);
  });

  test('finds what is wrong: a dead channel, and frozen weights without gradients', async () => {
    const model = network();
    (model.getLayer('bn').weights[0]!.read() as Variable).assign(tensor([1, 0, 1, 1]));
    model.getLayer('ln').trainable = false;
    const { norms } = await inspectNorms(model, numbers([16, 3]), { loss: square });
    expect(norms[0]!.output.deadChannels).toEqual([1]);
    expect(norms[1]!.gradients!.weights).toEqual({});
  });

  test('refuses what it cannot inspect, and leaves nothing', async () => {
    const model = network();
    const x = numbers([4, 3]);
    const before = memory().numTensors;
    expect(await failure(() => inspectNorms(model, x, { layers: () => false }))).toMatchObject({ code: 'NOT_FOUND', argument: 'layers' });
    expect(await failure(() => inspectNorms(model, x, { samples: 0 }))).toMatchObject({ code: 'INVALID_ARGUMENT', argument: 'samples' });
    expect(await failure(() => inspectNorms(model, x, { outlierDeviations: 0 }))).toMatchObject({ argument: 'outlierDeviations' });
    expect(await failure(() => inspectNorms(model, x, { loss: (y) => y as Tensor }))).toMatchObject({ code: 'SHAPE', argument: 'loss' });
    await expect(inspectNorms(model, x, { loss: failing })).rejects.toThrow('of the loss');
    expect(memory().numTensors).toBe(before);
    expect(model.layers.some((layer) => Object.hasOwn(layer, 'call'))).toBe(false);
  });
});

const report = (loss?: typeof square): Promise<NormsReport> =>
  inspectNorms(
    sequential({ layers: [new BatchNormalization({ name: 'first', inputShape: [3] }), new LayerNormalization({ name: 'second' })] }),
    ones([4, 3]),
    loss && { loss },
  );

describe('plotNorms', () => {
  const { document } = parseHTML('<body>') as unknown as { document: Document };
  test('draws a figure for each quantity that is there, with the names of the layers', async () => {
    const svg = await plotNorms(await report(square), { document, width: 400 });
    expect(svg.slice(0, svg.indexOf('>'))).toMatch(/^<svg .*xmlns="http:\/\/www.w3.org\/2000\/svg"/);
    for (const text of ['first', 'second', 'input', 'output', 'mean', 'dead channels']) expect(svg).toContain(text);
    expect(svg).not.toContain('NaN and infinity');
    expect(svg).not.toMatch(/(cy|d)="[^"]*NaN/);
    expect(await plotNorms(await report(), { document })).not.toContain('length of the gradient');
  });

  test('says which document it needs', async () => {
    const found = await report();
    expect(await failure(() => plotNorms(found))).toMatchObject({ code: 'INVALID_ARGUMENT', op: 'plotNorms', argument: 'document' });
  });
});
