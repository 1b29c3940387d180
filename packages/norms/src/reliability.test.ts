// What each norm makes of awkward inputs, on all backends: constant ones, a batch of one, maps of one pixel, numbers as large as half precision
// has, mean 1e4 with deviation 1, NaN in one place. Masks, empty batches and gradients of special cases are in the norms' own tests.
import { backends } from '../../../tools/test-backends.ts';
import { dispose, grads, mul, ones, sum, tensor, tidy, zeros, type Tensor } from '@tensorflow/tfjs-core';
import { isEvenkeelError } from '@evenkeel/core';
import { describe, expect, test } from 'vitest';
import { noise, onEach, read, worst } from '../test/host.ts';
import {
  addLayerNorm,
  addRmsNorm,
  batchChannelNorm,
  batchNorm,
  conditionalLayerNorm,
  conditionalRmsNorm,
  crmsNorm,
  estimatedBatchNorm,
  evoNormB0,
  evoNormB1,
  evoNormB2,
  evoNormS0,
  evoNormS1,
  evoNormS2,
  groupNorm,
  instanceNorm,
  l1BatchNorm,
  l1LayerNorm,
  layerNorm,
  powerNorm,
  regionNormalize,
  regionNormBasic,
  regionNormLearnable,
  rmsNorm,
  unifiedNorm,
  unifiedNormState,
  unMixTNS,
  unMixTNSState,
  weightStandardize,
} from './index.ts';

const epsilon = 1e-5;
const CHANNELS = 8;
const GROUPS = 2;

/** The numbers of the values that share statistics. */
interface Shared {
  readonly mean: number;
  readonly variance: number;
  readonly square: number;
  readonly absolute: number;
  readonly count: number;
}

/** Which values share statistics, by index. */
type Of = (index: number, shape: readonly number[]) => number;

const size = (shape: readonly number[]): number => shape.reduce((product, length) => product * length, 1);

const row: Of = (i, shape) => Math.floor(i / shape.at(-1)!);
const channel: Of = (i, shape) => i % shape.at(-1)!;
const sample: Of = (i, shape) => Math.floor((i * shape[0]!) / size(shape));
const group: Of = (i, shape) => sample(i, shape) * GROUPS + Math.floor((channel(i, shape) * GROUPS) / shape.at(-1)!);
const instance: Of = (i, shape) => sample(i, shape) * shape.at(-1)! + channel(i, shape);
/** The first column of pixels is the hole. */
const isHole = (pixel: number, width: number): boolean => pixel % width === 0;
const region: Of = (i, shape) => 2 * channel(i, shape) + Number(isHole(row(i, shape), shape[2] ?? 1));
const all: Of = () => 0;

interface Norm {
  readonly name: string;
  readonly run: (x: Tensor) => Tensor;
  /** What a value becomes, in double precision. Left out: only that everything is finite is asked here. */
  readonly wanted?: (value: number, shared: Shared) => number;
  /** The values that share statistics. */
  readonly of: Of;
  /** Where NaN goes: as far as statistics, by default; or the call is refused, with this argument. */
  readonly nan?: Of | string;
  /** Why maps of one pixel, or a batch of one, are refused. */
  readonly refuses?: { readonly onePixel?: string; readonly one?: string };
  readonly shape?: readonly number[];
}

const centred = (value: number, { mean, variance }: Shared): number => (value - mean) / Math.sqrt(variance + epsilon);
const bySquare = (value: number, { square }: Shared): number => value / Math.sqrt(square + epsilon);
const byAbsolute = (value: number, { mean, absolute }: Shared): number => (value - mean) / (absolute + epsilon);
const sigmoid = (value: number): number => 1 / (1 + Math.exp(-value));

const options = { epsilon };
const plain = { epsilon, epsilonMode: 'plain' as const };
const grouped = { epsilon, groups: GROUPS };
const bare = [undefined, undefined] as const;
const PICTURES = [2, 3, 3, CHANNELS];

const hole = (x: Tensor): Tensor => {
  const pixels = [...x.shape.slice(0, -1), 1];
  return tensor(
    Array.from({ length: size(pixels) }, (_, i) => Number(isHole(i, x.shape[2]!))),
    pixels,
  );
};

const rowNorms: readonly Norm[] = [
  { name: 'layerNorm', run: (x) => layerNorm(x, ...bare, options), of: row, wanted: centred },
  { name: 'addLayerNorm', run: (x) => addLayerNorm(x, mul(x, 0), ...bare, options).y, of: row, wanted: centred },
  {
    name: 'layerNorm and silu',
    run: (x) => layerNorm(x, ...bare, { epsilon, activation: 'silu' }),
    of: row,
    wanted: (value, shared) => centred(value, shared) * sigmoid(centred(value, shared)),
  },
  { name: 'rmsNorm', run: (x) => rmsNorm(x, undefined, options), of: row, wanted: bySquare },
  { name: 'addRmsNorm', run: (x) => addRmsNorm(x, mul(x, 0), undefined, options).y, of: row, wanted: bySquare },
  {
    name: 'crmsNorm',
    run: (x) => crmsNorm(x, options),
    of: row,
    wanted: (value, { mean, square, count }) => value / Math.sqrt((square * count + (mean * count) ** 2) / (count + 1) + epsilon),
  },
  { name: 'l1LayerNorm', run: (x) => l1LayerNorm(x, ...bare, options), of: row, wanted: byAbsolute },
  { name: 'conditionalLayerNorm', run: (x) => conditionalLayerNorm(x, ...bare, options), of: row, wanted: centred },
  { name: 'conditionalRmsNorm', run: (x) => conditionalRmsNorm(x, ...bare, options), of: row, wanted: bySquare },
];
const rows = rowNorms.map((norm) => ({ ...norm, shape: [3, 24] }));

const one = (x: Tensor): Tensor => ones([x.shape.at(-1)!]);
const none = (x: Tensor): Tensor => zeros([x.shape.at(-1)!]);

const pictures: readonly Norm[] = [
  { name: 'groupNorm', run: (x) => groupNorm(x, ...bare, { epsilon, numGroups: GROUPS }), of: group, wanted: centred },
  { name: 'instanceNorm', run: (x) => instanceNorm(x, ...bare, options), of: instance, wanted: centred, refuses: { onePixel: 'SHAPE x' } },
  { name: 'batchNorm', run: (x) => batchNorm(x, ...bare, options).y, of: channel, wanted: centred },
  { name: 'l1BatchNorm', run: (x) => l1BatchNorm(x, ...bare, options).y, of: channel, wanted: byAbsolute },
  {
    name: 'evoNormS0',
    run: (x) => evoNormS0(x, ...bare, one(x), grouped),
    of: group,
    wanted: (value, { variance }) => (value * sigmoid(value)) / Math.sqrt(variance + epsilon),
  },
  {
    name: 'evoNormS1',
    run: (x) => evoNormS1(x, ...bare, grouped),
    of: group,
    wanted: (value, { variance }) => (value * sigmoid(value)) / Math.sqrt(variance + epsilon),
  },
  {
    name: 'evoNormS2',
    run: (x) => evoNormS2(x, ...bare, grouped),
    of: group,
    wanted: (value, { square }) => (value * sigmoid(value)) / Math.sqrt(square + epsilon),
  },
  { name: 'evoNormB0', run: (x) => evoNormB0(x, ...bare, one(x), options).y, of: channel },
  { name: 'evoNormB1', run: (x) => evoNormB1(x, ...bare, options).y, of: channel },
  { name: 'evoNormB2', run: (x) => evoNormB2(x, ...bare, options).y, of: channel },
  {
    name: 'powerNorm',
    of: channel,
    wanted: bySquare,
    nan: 'NON_FINITE x',
    run: (x) => powerNorm(x, ...bare, { runningPhi: one(x), emaGz: none(x), iterations: 0 }, { epsilon, groups: 0, warmupSteps: 1 }).y,
  },
  {
    name: 'unifiedNorm',
    run: (x) => unifiedNorm(x, ...bare, unifiedNormState(x.shape.at(-1)!), options).y,
    of: channel,
    wanted: bySquare,
    nan: 'NON_FINITE x',
  },
  { name: 'regionNormalize', run: (x) => regionNormalize(x, hole(x), plain), of: region, wanted: centred },
  { name: 'regionNormBasic', run: (x) => regionNormBasic(x, hole(x), {}, plain), of: region, wanted: centred },
  {
    name: 'regionNormLearnable',
    of: all,
    run: (x) =>
      regionNormLearnable(x, {
        mapKernel: mul(ones([1, 1, 2, 1]), 0.3),
        gammaKernel: ones([1, 1, 1, 1]),
        gammaBias: zeros([1]),
        betaKernel: ones([1, 1, 1, 1]),
        betaBias: zeros([1]),
      }),
  },
  {
    name: 'batchChannelNorm',
    of: all,
    nan: 'NON_FINITE x',
    run: (x) => batchChannelNorm(x, { mean: none(x), variance: one(x) }, {}, grouped).y,
  },
  {
    name: 'estimatedBatchNorm',
    of: all,
    nan: 'NON_FINITE x',
    run: (x) => estimatedBatchNorm(x, { mean: none(x), variance: one(x) }, ...bare, options).y,
  },
  { name: 'unMixTNS', of: all, nan: sample, run: (x) => unMixTNS(x, ...bare, unMixTNSState(none(x), one(x), { components: 4 })).y },
  {
    name: 'weightStandardize',
    of: channel,
    run: (x) => weightStandardize(x, options),
    shape: [3, 3, 4, CHANNELS],
    wanted: (value, { mean, variance, count }) => (value - mean) / Math.sqrt((variance * count) / (count - 1) + epsilon),
  },
];

const norms = [...rows, ...pictures];

const average = (list: readonly number[]): number => list.reduce((total, value) => total + value, 0) / list.length;

function sharedOf(values: readonly number[], of: (index: number) => number): Map<number, Shared> {
  const members = new Map<number, number[]>();
  values.forEach((value, i) => members.set(of(i), [...(members.get(of(i)) ?? []), value]));
  return new Map(
    [...members].map(([key, list]) => {
      const mean = average(list);
      const variance = average(list.map((value) => (value - mean) ** 2));
      const [square, absolute] = [average(list.map((value) => value ** 2)), average(list.map((value) => Math.abs(value - mean)))];
      return [key, { mean, variance, square, absolute, count: list.length }];
    }),
  );
}

/** The result, and the gradient of its weighted sum. */
async function both({ run }: Norm, values: readonly number[], shape: readonly number[]): Promise<{ y: number[]; dx: number[] }> {
  const x = tensor([...values], [...shape]);
  const weights = tensor(noise(size(shape), 77), [...shape]);
  const y = await read(tidy(() => run(x)));
  const dx = await read(tidy(() => grads((a: Tensor) => sum(mul(run(a), weights)))([x])[0]!));
  dispose([x, weights]);
  return { y, dx };
}

/** Right where there is a formula, and finite in any case, forward and backward. */
async function holds(norm: Norm, values: readonly number[], shape: readonly number[], tolerance: number): Promise<void> {
  const { y, dx } = await both(norm, values, shape);
  expect(y.every(Number.isFinite)).toBe(true);
  expect(dx.every(Number.isFinite)).toBe(true);
  const { wanted, of } = norm;
  if (wanted === undefined) return;
  const shared = sharedOf(values, (i) => of(i, shape));
  const right = values.map((value, i) => wanted(value, shared.get(of(i, shape))!));
  const scale = Math.max(1, ...right.map(Math.abs));
  expect(worst(y, right) / scale).toBeLessThan(tolerance);
}

async function refused(run: () => unknown): Promise<string> {
  try {
    await run();
  } catch (error) {
    if (isEvenkeelError(error)) return `${error.code} ${error.argument}`;
    throw error;
  }
  return 'nothing was thrown';
}

describe.each(norms.map((norm) => [norm.name, norm] as const))('%s', (_, norm) => {
  const shape = norm.shape ?? PICTURES;

  test('zero variance', () =>
    onEach(backends, () =>
      holds(
        norm,
        Array.from({ length: size(shape) }, () => 2.5),
        shape,
        1e-3,
      ),
    ));

  test('a batch of one', () => onEach(backends, () => holds(norm, noise(size(shape) / shape[0]!, 3), [1, ...shape.slice(1)], 1e-4)));

  test('maps of one pixel', () =>
    onEach(backends, async () => {
      const pixels = [4, ...shape.slice(1, -1).map(() => 1), shape.at(-1)!];
      const run = (): Promise<void> => holds(norm, noise(size(pixels), 4), pixels, 1e-4);
      const why = norm.refuses?.onePixel;
      if (why === undefined) await run();
      else expect(await refused(run)).toBe(why);
    }));

  test('numbers as large as half precision has', () =>
    onEach(backends, () =>
      holds(
        norm,
        noise(size(shape), 5).map((value) => Math.fround(6e4 * value)),
        shape,
        1e-4,
      ),
    ));

  test('mean 1e4 with deviation 1', () =>
    onEach(backends, () =>
      holds(
        norm,
        noise(size(shape), 6).map((value) => Math.fround(1e4 + Math.sqrt(3) * value)),
        shape,
        5e-3,
      ),
    ));

  test('NaN in one place', () =>
    onEach(backends, async () => {
      const clean = noise(size(shape), 7);
      const at = 2;
      const soiled = clean.map((value, i) => (i === at ? Number.NaN : value));
      const { nan = norm.of } = norm;
      if (typeof nan === 'string') {
        expect(await refused(() => both(norm, soiled, shape))).toBe(nan);
        return;
      }
      const [wanted, found] = [await both(norm, clean, shape), await both(norm, soiled, shape)];
      expect(found.y[at]).toBeNaN();
      for (const key of ['y', 'dx'] as const) {
        const elsewhere = found[key].filter((__, i) => nan(i, shape) !== nan(at, shape));
        expect(elsewhere.every(Number.isFinite)).toBe(true);
        const before = wanted[key].filter((__, i) => nan(i, shape) !== nan(at, shape));
        expect(worst(elsewhere, before)).toBeLessThan(1e-5);
      }
    }));
});
