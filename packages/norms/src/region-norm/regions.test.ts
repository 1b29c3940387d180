// What region normalization does at the edges, on all backends.
import { backends } from '../../../../tools/test-backends.ts';
import { cast, clone, dispose, fill, grads, memory, mul, ones, sum, tensor, tidy, zeros, type Tensor } from '@tensorflow/tfjs-core';
import { backend } from '@evenkeel/core';
import { expect, test } from 'vitest';
import { noise, onEach, read, refusal, standardized, worst } from '../../test/host.ts';
import {
  ChannelMeanMax,
  learnedRegions,
  maskedMoments,
  maskShift,
  regionNormalize,
  regionNormBasic,
  regionNormLearnable,
  RegionNorm,
  resizeMask,
  type RegionNormLearnableWeights,
} from './index.ts';

/** A hole in the second half of each sample. */
const halves = (samples: number, positions: number): Tensor =>
  tensor(
    Array.from({ length: samples * positions }, (_, i) => (i % positions >= positions / 2 ? 1 : 0)),
    [samples, positions, 1],
  );

const normalize = (values: readonly number[], shape: number[], mask: Tensor, options = {}): Promise<number[]> =>
  read(tidy(() => regionNormalize(tensor([...values], shape), mask, options)));

const dxOf = (values: readonly number[], shape: number[], mask: Tensor, dy: readonly number[], options = {}): Promise<number[]> =>
  read(tidy(() => grads((x: Tensor) => regionNormalize(x, mask, options))([tensor([...values], shape)], tensor([...dy], shape))[0]!));

// Of two samples of six pixels and two channels.
const at = (sample: number, position: number, channel: number): number => (sample * 6 + position) * 2 + channel;
const pixels = (sample: number, region: number): [number, number][] => [0, 1, 2].map((p) => [sample, p + 3 * region]);

test('each region is standardized by itself: of the batch, or of each sample', async () => {
  const x = noise(2 * 6 * 2, 3);
  await onEach(backends, async () => {
    const mask = halves(2, 6);
    const [batch, instance] = [
      await normalize(x, [2, 6, 2], mask, { epsilonMode: 'plain' }),
      await normalize(x, [2, 6, 2], mask, { statistics: 'instance' }),
    ];
    for (const channel of [0, 1]) {
      for (const region of [0, 1]) {
        const places = [...pixels(0, region), ...pixels(1, region)].map(([s, p]) => at(s, p, channel));
        const wanted = standardized(
          places.map((i) => x[i]!),
          1e-5,
        );
        expect(
          worst(
            places.map((i) => batch[i]!),
            wanted,
          ),
        ).toBeLessThan(1e-5);
        for (const sample of [0, 1]) {
          const own = pixels(sample, region).map(([s, p]) => at(s, p, channel));
          expect(
            worst(
              own.map((i) => instance[i]!),
              standardized(
                own.map((i) => x[i]!),
                1e-5,
              ),
            ),
          ).toBeLessThan(1e-5);
        }
      }
    }
    dispose(mask);
  });
});

test("with 'instance' a sample's result does not depend on the batch", async () => {
  const x = noise(3 * 8 * 4, 5);
  await onEach(backends, async () => {
    const [mask, first] = [halves(3, 8), halves(1, 8)];
    const all = await normalize(x, [3, 8, 4], mask, { statistics: 'instance' });
    const alone = await normalize(x.slice(0, 32), [1, 8, 4], first, { statistics: 'instance' });
    expect(worst(all.slice(0, 32), alone)).toBeLessThan(1e-6);
    dispose([mask, first]);
  });
});

test("a batch of one: 'batch' and 'instance' are the same", async () => {
  const x = noise(8 * 4, 5);
  await onEach(backends, async () => {
    const mask = halves(1, 8);
    const plain = { epsilonMode: 'plain' };
    expect(await normalize(x, [1, 8, 4], mask, plain)).toEqual(await normalize(x, [1, 8, 4], mask, { ...plain, statistics: 'instance' }));
    dispose(mask);
  });
});

test('official epsilon is epsilon over the share of pixels', async () => {
  // A region of 2 of 8 pixels, variance 1e-6.
  const x = [0.001, -0.001, 5, 6, 7, 8, 9, 10];
  await onEach(backends, async () => {
    const mask = tensor([1, 1, 0, 0, 0, 0, 0, 0], [1, 8, 1]);
    const [official, plain] = [await normalize(x, [1, 8, 1], mask), await normalize(x, [1, 8, 1], mask, { epsilonMode: 'plain' })];
    expect(official[0]!).toBeCloseTo(0.001 / Math.sqrt(1e-6 + 4e-5), 5);
    expect(plain[0]!).toBeCloseTo(0.001 / Math.sqrt(1e-6 + 1e-5), 5);
    dispose(mask);
  });
});

test('a mask without hole, and one without anything else, normalize all pixels together', async () => {
  const x = noise(6 * 3, 7);
  await onEach(backends, async () => {
    const [none, all] = [zeros([1, 6, 1]), ones([1, 6, 1])];
    const [a, b] = [await normalize(x, [1, 6, 3], none), await normalize(x, [1, 6, 3], all)];
    expect(a).toEqual(b);
    const column = x.filter((_, i) => i % 3 === 0);
    expect(
      worst(
        a.filter((_, i) => i % 3 === 0),
        standardized(column, 1e-5),
      ),
    ).toBeLessThan(1e-5);
    const { count, mean, variance } = tidy(() => maskedMoments(tensor(x, [1, 6, 3]), all));
    expect([await read(count), (await read(mean)).slice(0, 3), (await read(variance)).slice(0, 3)]).toEqual([
      [0, 6],
      [0, 0, 0],
      [0, 0, 0],
    ]);
    dispose([none, all]);
  });
});

test('regions and maps of one pixel give 0 there, and a gradient of 0', async () => {
  await onEach(backends, async () => {
    const mask = tensor([0, 0, 1, 0], [1, 4, 1]);
    const x = [1, 2, 300, 4];
    expect((await normalize(x, [1, 4, 1], mask))[2]).toBe(0);
    // Of two terms of 950 that cancel.
    expect(Math.abs((await dxOf(x, [1, 4, 1], mask, [1, 2, 3, 4]))[2]!)).toBeLessThan(1e-3);
    for (const statistics of ['batch', 'instance']) {
      const single = ones([1, 1, 1, 1]);
      expect(await normalize([5, 6, 7], [1, 1, 1, 3], single, { statistics })).toEqual([0, 0, 0]);
      expect(worst(await dxOf([5, 6, 7], [1, 1, 1, 3], single, [1, 1, 1], { statistics }), [0, 0, 0])).toBeLessThan(1e-3);
      dispose(single);
    }
    dispose(mask);
  });
});

test('a hole of constant fill gives 0, and a finite gradient of dy / sqrt(epsilon)', async () => {
  const x = [0.1, 0.5, -0.3, 0.9, 1, 1, 1, 1];
  const dy = [1, 2, 3, 4, 1, -1, 2, 0];
  await onEach(backends, async () => {
    const mask = halves(1, 8);
    expect((await normalize(x, [1, 8, 1], mask)).slice(4)).toEqual([0, 0, 0, 0]);
    const dx = await dxOf(x, [1, 8, 1], mask, dy, { epsilonMode: 'plain' });
    expect(
      worst(
        dx.slice(4),
        [0.5, -1.5, 1.5, -0.5].map((value) => value / Math.sqrt(1e-5)),
      ),
    ).toBeLessThan(1e-2);
    dispose(mask);
  });
});

test('NaN stays in its region and channel, with instances in its sample, forward and backward', async () => {
  const clean = noise(2 * 8 * 5, 3);
  // Sample 1, position 6 (the hole), channel 2.
  const soiled = clean.map((value, i) => (i === (8 + 6) * 5 + 2 ? Number.NaN : value));
  const dy = noise(80, 9);
  await onEach(backends, async () => {
    const mask = halves(2, 8);
    for (const statistics of ['batch', 'instance']) {
      const inRegion = (i: number): boolean => i % 5 === 2 && Math.floor(i / 5) % 8 >= 4 && (statistics === 'batch' || i >= 40);
      (await normalize(soiled, [2, 8, 5], mask, { statistics })).forEach((value, i) =>
        expect(Number.isNaN(value), `y[${i}]`).toBe(inRegion(i)),
      );
      (await dxOf(soiled, [2, 8, 5], mask, dy, { statistics })).forEach((value, i) =>
        expect(Number.isNaN(value), `dx[${i}]`).toBe(inRegion(i)),
      );
    }
    const { mean } = tidy(() => maskedMoments(tensor(soiled, [2, 8, 5]), mask));
    (await read(mean)).slice(0, 10).forEach((value, i) => expect(Number.isNaN(value)).toBe(i === 7));
    dispose(mask);
  });
});

test('NaN of a soft mask stays in its region, where the weight is 0', async () => {
  const x = noise(8, 3).map((value, i) => (i === 6 ? Number.NaN : value));
  await onEach(backends, async () => {
    const mask = halves(1, 8);
    (await normalize(x, [1, 8, 1], mask, { soft: true })).forEach((value, i) => expect(Number.isNaN(value)).toBe(i >= 4));
    dispose(mask);
  });
});

test('a soft mask of 0 and 1 is the mask, and gradients go into one between', async () => {
  const x = noise(2 * 8 * 3, 3);
  const between = noise(16, 11).map((value) => 0.5 + 0.4 * value);
  await onEach(backends, async () => {
    const mask = halves(2, 8);
    for (const statistics of ['batch', 'instance']) {
      const [hard, soft] = [
        await normalize(x, [2, 8, 3], mask, { statistics }),
        await normalize(x, [2, 8, 3], mask, { statistics, soft: true }),
      ];
      expect(worst(soft, hard)).toBeLessThan(1e-5);
    }
    const gradient = await read(
      tidy(
        () =>
          grads((m: Tensor) => sum(mul(regionNormalize(tensor(x, [2, 8, 3]), m, { soft: true }), tensor(noise(48, 2), [2, 8, 3]))))([
            tensor(between, [2, 8, 1]),
          ])[0]!,
      ),
    );
    expect(gradient.every((value) => Number.isFinite(value) && value !== 0)).toBe(true);
    dispose(mask);
  });
});

test('values as large as of float16, and channels of mean 1e4 and deviation 1', async () => {
  const rows = 4000;
  const large = noise(rows * 2, 5).map((value) => Math.fround(value * 65504));
  const distant = noise(rows * 2, 6).map((value) => Math.fround(1e4 + value * Math.sqrt(3)));
  await onEach(backends, async () => {
    const mask = halves(1, rows);
    for (const [x, tolerance] of [
      [large, 1e-4],
      [distant, 2e-3],
    ] as const) {
      const y = await normalize(x, [1, rows, 2], mask);
      for (const channel of [0, 1]) {
        const places = Array.from({ length: rows / 2 }, (_, i) => 2 * i + channel);
        expect(
          worst(
            places.map((i) => y[i]!),
            standardized(
              places.map((i) => x[i]!),
              1e-5,
            ),
          ),
        ).toBeLessThan(tolerance);
      }
    }
    dispose(mask);
  });
});

test('an empty batch gives an empty result', async () => {
  await onEach(backends, async () => {
    const y = tidy(() => regionNormalize(zeros([0, 4, 3]), zeros([0, 4, 1])));
    expect(y.shape).toEqual([0, 4, 3]);
    y.dispose();
    expect(refusal(() => regionNormalize(zeros([2, 0, 3]), zeros([2, 0, 1])))).toBe('SHAPE x');
  });
});

test('labels that are no region count nowhere and give 0, whatever their number', async () => {
  await onEach(backends, async () => {
    const found = tidy(() => {
      const labels = cast(tensor([0, 7, 0, -1_000_000, 1, 1], [1, 6, 1]), 'int32');
      return RegionNorm({ x: tensor([1, Number.NaN, 3, Number.NaN, 10, 30], [1, 6, 1]), labels, beta: fill([2, 1], 5) }, { epsilon: 1e-9 });
    });
    expect(worst(await read(found.y), [4, 0, 6, 0, 4, 6])).toBeLessThan(1e-5);
    expect((await read(found.statistics)).filter((_, i) => i % 3 === 0)).toEqual([2, 2]);
  });
});

test('maskedMoments of three labels, of the batch and by sample, with its gradient', async () => {
  const x = noise(2 * 6 * 2, 3);
  const labels = [0, 1, 2, 2, 1, 0, 2, 2, 2, 2, 1, 1];
  const mean = (region: number, channel: number): number => {
    const values = x.filter((_, i) => i % 2 === channel && labels[Math.floor(i / 2)] === region);
    return values.reduce((total, value) => total + value, 0) / values.length;
  };
  await onEach(backends, async () => {
    const mask = tensor(labels, [2, 6, 1], 'int32');
    const whole = tidy(() => maskedMoments(tensor(x, [2, 6, 2]), mask, { regions: 3 }));
    expect([whole.count.shape, whole.mean.shape, whole.variance.shape]).toEqual([[3], [3, 2], [3, 2]]);
    expect(await read(whole.count)).toEqual([2, 4, 6]);
    const wanted = [0, 1, 2].flatMap((region) => [mean(region, 0), mean(region, 1)]);
    expect(worst(await read(whole.mean), wanted)).toBeLessThan(1e-6);
    dispose(whole.variance);
    const each = tidy(() => maskedMoments(tensor(x, [2, 6, 2]), mask, { regions: 3, statistics: 'instance' }));
    expect(each.mean.shape).toEqual([2, 3, 2]);
    expect(await read(each.count)).toEqual([2, 2, 2, 0, 2, 4]);
    dispose([each.mean, each.variance]);
    const dx = tidy(() => grads((a: Tensor) => sum(maskedMoments(a, mask, { regions: 3 }).mean))([tensor(x, [2, 6, 2])])[0]!);
    expect(
      worst(
        await read(dx),
        x.map((_, i) => 1 / [2, 4, 6][labels[Math.floor(i / 2)]!]!),
      ),
    ).toBeLessThan(1e-6);
    dispose(mask);
  });
});

test('a mask with other values is refused, unless it is to be binarized', async () => {
  const x = noise(4, 3);
  await onEach(backends, async (name) => {
    const mask = tensor([0, 0.3, 0.6, 1], [1, 4, 1]);
    for (const wrong of [{}, { regions: 3 }]) {
      // On webgpu values are known when they are read.
      const late = refusal(() => void regionNormalize(tensor(x, [1, 4, 1]), mask, wrong).dispose());
      if (name !== 'webgpu') expect(late).toBe('INVALID_ARGUMENT mask');
      else await expect(zeros([1]).data()).rejects.toMatchObject({ code: 'INVALID_ARGUMENT', argument: 'mask' });
    }
    const binary = tensor([0, 0, 1, 1], [1, 4, 1]);
    expect(await normalize(x, [1, 4, 1], mask, { binarize: true })).toEqual(await normalize(x, [1, 4, 1], binary));
    const whole = cast(binary, 'bool');
    expect(await normalize(x, [1, 4, 1], whole)).toEqual(await normalize(x, [1, 4, 1], binary));
    dispose([mask, binary, whole]);
  });
});

test('a mask that is computed from x is a constant for the gradient', async () => {
  const [x, dy] = [noise(8, 3), noise(8, 4)];
  await onEach(backends, async () => {
    const mask = tensor(
      x.map((value) => (value > 0.5 ? 1 : 0)),
      [1, 8, 1],
    );
    const wanted = await dxOf(x, [1, 8, 1], mask, dy);
    const [found] = tidy(() =>
      grads((a: Tensor) => regionNormalize(a, clone(a), { binarize: true }))([tensor(x, [1, 8, 1])], tensor(dy, [1, 8, 1])),
    );
    expect(await read(found!)).toEqual(wanted);
    dispose(mask);
  });
});

test('resizeMask takes the nearest pixel, or keeps thin holes', async () => {
  await onEach(backends, async () => {
    // A scratch one pixel wide, where the nearest pixel is not looked for.
    const scratch = tensor(
      Array.from({ length: 36 }, (_, i) => (i % 6 === 1 ? 1 : 0)),
      [1, 6, 6, 1],
    );
    expect(await read(resizeMask(scratch, [2, 3]))).toEqual([0, 0, 0, 0, 0, 0]);
    expect(await read(resizeMask(scratch, [2, 3], 'max'))).toEqual([1, 0, 0, 1, 0, 0]);
    // Sizes that do not divide: windows [0, 2), [1, 4), [3, 5).
    const row = tensor([0, 0, 1, 0, 0], [1, 1, 5, 1], 'int32');
    expect(await read(resizeMask(row, [1, 3]))).toEqual([0, 0, 0]);
    expect(await read(resizeMask(row, [1, 3], 'max'))).toEqual([0, 1, 0]);
    expect(await read(resizeMask(row, [1, 10], 'max'))).toEqual([0, 0, 0, 0, 1, 1, 0, 0, 0, 0]);
    expect(await read(resizeMask(row, [2, 5]))).toEqual([0, 0, 1, 0, 0, 0, 0, 1, 0, 0]);
    dispose([scratch, row]);
  });
  for (let from = 1; from <= 60; from++) {
    const ramp = tensor(
      Array.from({ length: from }, (_, i) => i),
      [1, 1, from, 1],
    );
    const found = await read(resizeMask(ramp, [1, 7]));
    expect(found).toEqual(Array.from({ length: 7 }, (_, i) => Math.floor((i * from) / 7)));
    dispose(ramp);
  }
  const mask = zeros([1, 4, 4, 1]);
  expect(refusal(() => resizeMask(mask, [0, 2]))).toBe('INVALID_ARGUMENT size');
  expect(refusal(() => resizeMask(mask, [2, 2], 'area' as never))).toBe('INVALID_ARGUMENT mode');
  expect(refusal(() => resizeMask(zeros([1, 4, 4, 2]), [2, 2]))).toBe('SHAPE mask');
});

test('RN-B: betas everywhere, or each in its region', async () => {
  await onEach(backends, async () => {
    const weights = {
      foregroundGamma: tensor([1]),
      foregroundBeta: tensor([10]),
      backgroundGamma: tensor([2]),
      backgroundBeta: tensor([100]),
    };
    const x = tensor([1, 3, 5, 9], [1, 2, 2, 1]);
    const mask = tensor([0, 0, 1, 1], [1, 2, 2, 1]);
    const run = (options: object): Promise<number[]> => read(regionNormBasic(x, mask, weights, { epsilon: 1e-9, ...options }));
    expect(worst(await run({}), [107, 113, 108, 112])).toBeLessThan(1e-4);
    expect(worst(await run({ affineMode: 'perRegion' }), [97, 103, 8, 12])).toBeLessThan(1e-4);
    expect(worst(await read(regionNormBasic(x, mask, {}, { epsilon: 1e-9 })), [-1, 1, -1, 1])).toBeLessThan(1e-5);
    expect(
      worst(
        await read(regionNormBasic(x, mask, { backgroundBeta: weights.backgroundBeta }, { epsilon: 1e-9, affineMode: 'perRegion' })),
        [99, 101, -1, 1],
      ),
    ).toBeLessThan(1e-4);
    dispose([x, mask, ...Object.values(weights)]);
  });
});

const learned = (channels = 3): RegionNormLearnableWeights & { x: Tensor } => ({
  x: tensor(noise(2 * 6 * 6 * channels, 4), [2, 6, 6, channels]),
  mapKernel: tensor(
    noise(18, 5).map((value) => value * 2),
    [3, 3, 2, 1],
  ),
  gammaKernel: tensor(noise(9, 6), [3, 3, 1, 1]),
  gammaBias: tensor([0.1]),
  betaKernel: tensor(noise(9, 7), [3, 3, 1, 1]),
  betaBias: tensor([0.2]),
});

test('RN-L: finds regions, and all gradients are the same on all backends', async () => {
  const wanted: number[][] = [];
  await onEach(backends, async () => {
    const { x, ...weights } = learned();
    const names = Object.keys(weights) as (keyof RegionNormLearnableWeights)[];
    const { importance, mask } = learnedRegions(x, weights.mapKernel, { threshold: 0.5 });
    const regions = await read(mask);
    expect(new Set(regions)).toEqual(new Set([0, 1]));
    expect(regions).toEqual((await read(importance)).map((value) => (value >= 0.5 ? 1 : 0)));
    const gradients = tidy(() =>
      grads((a: Tensor, ...values: Tensor[]) =>
        sum(
          mul(
            regionNormLearnable(
              a,
              Object.fromEntries(names.map((name, i) => [name, values[i]!])) as unknown as RegionNormLearnableWeights,
              { threshold: 0.5 },
            ),
            x,
          ),
        ),
      )([x, ...names.map((name) => weights[name])]),
    );
    for (const [i, gradient] of gradients.entries()) {
      const values = await read(gradient);
      wanted[i] ??= values;
      expect(worst(values, wanted[i])).toBeLessThan(2e-3);
      expect(values.some((value) => value !== 0)).toBe(true);
    }
    dispose([x, ...Object.values(weights)]);
  });
});

test('RN-L: NaN is of neither region, and does not reach beyond the convolutions', async () => {
  await onEach(backends, async () => {
    const { x, ...weights } = learned(2);
    const values = noise(1 * 12 * 12 * 2, 8).map((value, i) => (i === 0 ? Number.NaN : value));
    const soiled = tensor(values, [1, 12, 12, 2]);
    const y = await read(regionNormLearnable(soiled, weights, { threshold: 0.5 }));
    y.forEach((value, i) => {
      const pixel = Math.floor(i / 2);
      const near = pixel % 12 <= 2 && Math.floor(pixel / 12) <= 2;
      expect(Number.isNaN(value), `pixel ${pixel}`).toBe(near);
    });
    dispose([x, soiled, ...Object.values(weights)]);
  });
});

test('ChannelMeanMax keeps NaN to its row', async () => {
  await onEach(backends, async () => {
    for (const channels of [3, 8, 13]) {
      const values = noise(4 * channels, 3);
      values[2 * channels - 1] = Number.NaN;
      const y = await read(tidy(() => ChannelMeanMax({ x: tensor(values, [4, channels]) })));
      y.forEach((value, i) => expect(Number.isNaN(value)).toBe(i === 2 || i === 3));
    }
  });
});

test('maskShift tells what instance normalization does to valid pixels', async () => {
  const positions = 40;
  const x = noise(2 * positions * 3, 5).map((value, i) => (Math.floor(i / 3) % positions >= 20 ? 4 : value));
  await onEach(backends, async () => {
    const mask = halves(2, positions);
    const { mean, variance, rms } = tidy(() => maskShift(tensor(x, [2, positions, 3]), mask));
    const squares: number[] = [];
    const [means, variances] = [await read(mean), await read(variance)];
    for (const sample of [0, 1]) {
      for (const channel of [0, 1, 2]) {
        const column = x.filter((_, i) => i % 3 === channel && Math.floor(i / 3 / positions) === sample);
        const valid = standardized(column, 1e-5).slice(0, 20);
        const centre = valid.reduce((total, value) => total + value, 0) / 20;
        squares.push(centre ** 2);
        expect(means[sample * 3 + channel]!).toBeCloseTo(centre, 4);
        expect(variances[sample * 3 + channel]!).toBeCloseTo(valid.reduce((total, value) => total + (value - centre) ** 2, 0) / 20, 4);
      }
    }
    expect((await read(rms))[0]!).toBeCloseTo(Math.sqrt(squares.reduce((total, value) => total + value, 0) / 6), 4);
    const none = tidy(() => maskShift(tensor(x, [2, positions, 3]), zeros([2, positions, 1])));
    expect((await read(none.rms))[0]!).toBeCloseTo(0, 6);
    const all = tidy(() => maskShift(tensor(x, [2, positions, 3]), ones([2, positions, 1])));
    expect(await read(all.rms)).toEqual([0]);
    dispose([mask, none.mean, none.variance, all.mean, all.variance]);
  });
});

test('refuses by name, and leaves nothing behind', async () => {
  await backend('cpu');
  const [x, mask] = [zeros([1, 4, 4, 3]), zeros([1, 4, 4, 1])];
  const { x: features, ...weights } = learned();
  const before = memory().numTensors;
  const calls: [() => unknown, string][] = [
    [() => regionNormalize(x, undefined as never), 'INVALID_ARGUMENT mask'],
    [() => regionNormalize(undefined as never, mask), 'INVALID_ARGUMENT x'],
    [() => regionNormalize(x, mask, { epsilon: 0 }), 'INVALID_ARGUMENT epsilon'],
    [() => regionNormalize(x, mask, { statistics: 'layer' as never }), 'INVALID_ARGUMENT statistics'],
    [() => regionNormalize(x, mask, { epsilonMode: 'paper' as never }), 'INVALID_ARGUMENT epsilonMode'],
    [() => regionNormalize(x, mask, { inverted: true } as never), 'INVALID_ARGUMENT inverted'],
    [() => regionNormalize(x, mask, { regions: 0 }), 'INVALID_ARGUMENT regions'],
    [() => regionNormalize(x, mask, { regions: 3, binarize: true }), 'INVALID_ARGUMENT binarize'],
    [() => regionNormalize(x, mask, { regions: 3, soft: true }), 'INVALID_ARGUMENT regions'],
    [() => maskedMoments(x, mask, { epsilon: 1 } as never), 'INVALID_ARGUMENT epsilon'],
    [() => maskShift(x, mask, { epsilon: -1 }), 'INVALID_ARGUMENT epsilon'],
    [() => regionNormBasic(x, mask, {}, { affineMode: 'paper' as never }), 'INVALID_ARGUMENT affineMode'],
    [() => regionNormBasic(x, mask, { foregroundGamma: features }), 'SHAPE foregroundGamma'],
    [() => regionNormBasic(x, mask, { gamma: features } as never), 'INVALID_ARGUMENT gamma'],
    [() => regionNormLearnable(features, weights, { threshold: 1 }), 'INVALID_ARGUMENT threshold'],
    [() => regionNormLearnable(features, { ...weights, mapKernel: x }), 'SHAPE mapKernel'],
    [() => regionNormLearnable(features, { ...weights, betaKernel: x }), 'SHAPE betaKernel'],
    [() => regionNormLearnable(features, { ...weights, gammaBias: x }), 'SHAPE gammaBias'],
    [() => learnedRegions(features, weights.mapKernel, { threshold: 0 }), 'INVALID_ARGUMENT threshold'],
  ];
  for (const [call, wanted] of calls) expect(refusal(call)).toBe(wanted);
  expect(memory().numTensors).toBe(before);
  const [channelled, flat, whole] = [zeros([1, 4, 4, 3]), zeros([4, 4]), zeros([1, 4, 4, 3], 'int32')];
  expect(refusal(() => regionNormalize(x, channelled))).toBe('SHAPE mask');
  expect(refusal(() => regionNormalize(x, flat))).toBe('SHAPE mask');
  expect(refusal(() => regionNormalize(whole, mask))).toBe('DTYPE x');
  expect(refusal(() => regionNormalize(zeros([3]), zeros([1])))).toBe('SHAPE x');
  expect(refusal(() => regionNormBasic(flat, mask))).toBe('SHAPE x');
});
