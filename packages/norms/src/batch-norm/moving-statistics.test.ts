import { backends } from '../../../../tools/test-backends.ts';
import { dispose, memory, ones, tensor, tidy, zeros, type Tensor } from '@tensorflow/tfjs-core';
import { backend } from '@evenkeel/core';
import { expect, test } from 'vitest';
import { onEach, read, refusal, worst } from '../../test/host.ts';
import { updateMovingStatistics, type MovingStatisticsOptions, type Statistics } from './moving-statistics.ts';

const pair = (mean: number[], variance: number[]): Statistics => ({ mean: tensor(mean), variance: tensor(variance) });

async function updated(moving: Statistics, batch: Statistics, n: number, options?: MovingStatisticsOptions): Promise<number[][]> {
  const { mean, variance } = updateMovingStatistics(moving, batch, n, options);
  return [await read(mean), await read(variance)];
}

function free(...statistics: Statistics[]): void {
  for (const { mean, variance } of statistics) dispose([mean, variance]);
}

test('keeps the share momentum of the old, biased or not, and leaves the inputs as they were', async () => {
  await onEach(backends, async () => {
    const [moving, batch] = [pair([0, 1], [1, 1]), pair([10, 1], [3, 5])];
    const { numTensors } = memory();
    const near = async (options: MovingStatisticsOptions | undefined, mean: number[], variance: number[]): Promise<void> => {
      const found = await updated(moving, batch, 4, options);
      expect(worst(found[0]!, mean)).toBeLessThan(1e-5);
      expect(worst(found[1]!, variance)).toBeLessThan(1e-5);
    };
    await near(undefined, [0.1, 1], [1.02, 1.04]);
    await near({ momentum: 0.9 }, [1, 1], [1.2, 1.4]);
    await near({ momentum: 0 }, [10, 1], [3, 5]);
    await near({ momentum: 1 }, [0, 1], [1, 1]);
    // n / (n - 1) = 4 / 3.
    await near({ momentum: 0.5, movingVariance: 'unbiased' }, [5, 1], [2.5, 0.5 + 10 / 3]);
    expect(Array.from(await moving.mean.data())).toEqual([0, 1]);
    expect(Array.from(await batch.variance.data())).toEqual([3, 5]);
    expect(memory().numTensors).toBe(numTensors);
    free(moving, batch);
  });
});

test('passes over an empty batch', async () => {
  await onEach(backends, async () => {
    const [moving, batch] = [pair([1, 2], [3, 4]), pair([0, 0], [0, 0])];
    expect(await updated(moving, batch, 0)).toEqual([
      [1, 2],
      [3, 4],
    ]);
    free(moving, batch);
  });
});

test.each([
  ['a NaN mean', [Number.NaN, 0], [1, 1]],
  ['an infinite variance', [0, 0], [1, Infinity]],
])('%s: skipped, let in, or thrown', async (_, mean, variance) => {
  await onEach(backends, async (name) => {
    const [moving, batch] = [pair([1, 2], [3, 4]), pair(mean, variance)];
    const before = memory().numTensors;
    expect(await updated(moving, batch, 8, { onNonFinite: 'skip' })).toEqual([
      [1, 2],
      [3, 4],
    ]);
    expect((await updated(moving, batch, 8, { onNonFinite: 'propagate' })).flat().every(Number.isFinite)).toBe(false);
    if (name === 'webgpu') {
      // Known at the next read, and the statistics are as they were.
      const result = updateMovingStatistics(moving, batch, 8);
      await expect(result.mean.data()).rejects.toThrow(/updateMovingStatistics: batch has NaN or infinite statistics/);
      expect(await read(result.mean)).toEqual([1, 2]);
      expect(await read(result.variance)).toEqual([3, 4]);
    } else {
      expect(refusal(() => updateMovingStatistics(moving, batch, 8))).toBe('NON_FINITE batch');
    }
    expect(memory().numTensors).toBe(before);
    free(moving, batch);
  });
});

test('refuses by name', async () => {
  await backend('cpu');
  const [moving, batch] = [pair([1, 2], [3, 4]), pair([0, 0], [1, 1])];
  const short = (key: keyof Statistics): Statistics => ({ ...batch, [key]: zeros([3]) as Tensor });
  expect(refusal(() => updateMovingStatistics(moving, batch, 1, { movingVariance: 'unbiased' }))).toBe('INVALID_ARGUMENT n');
  expect(refusal(() => updateMovingStatistics(moving, batch, -1))).toBe('INVALID_ARGUMENT n');
  expect(refusal(() => updateMovingStatistics(moving, batch, 1.5))).toBe('INVALID_ARGUMENT n');
  expect(refusal(() => updateMovingStatistics(moving, batch, 2, { momentum: 1.1 }))).toBe('INVALID_ARGUMENT momentum');
  expect(refusal(() => updateMovingStatistics(moving, batch, 2, { momentum: Number.NaN }))).toBe('INVALID_ARGUMENT momentum');
  const options = { movingVariance: 'half', onNonFinite: 'ignore' } as unknown as MovingStatisticsOptions;
  expect(refusal(() => updateMovingStatistics(moving, batch, 2, { movingVariance: options.movingVariance! }))).toBe(
    'INVALID_ARGUMENT movingVariance',
  );
  expect(refusal(() => updateMovingStatistics(moving, batch, 2, { onNonFinite: options.onNonFinite! }))).toBe(
    'INVALID_ARGUMENT onNonFinite',
  );
  expect(refusal(() => updateMovingStatistics(moving, short('mean'), 2))).toBe('SHAPE batch.mean');
  expect(refusal(() => updateMovingStatistics(moving, short('variance'), 2))).toBe('SHAPE batch.variance');
  expect(refusal(() => updateMovingStatistics({ ...moving, variance: tidy(() => ones([1])) }, batch, 2))).toBe('SHAPE moving.variance');
});
