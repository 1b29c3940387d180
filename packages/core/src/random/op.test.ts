import { grad, memory, mul, square, sum, tensor1d, tidy, variable, variableGrads, type Scalar } from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, test } from 'vitest';
import { backends } from '../../../../tools/test-backends.ts';
import { backend } from '../backend.ts';
import { compile } from '../compile.ts';
import { isEvenkeelError } from '../errors.ts';
import { inspect, resetInspection } from '../inspect.ts';
import { opcheck } from '../testing/index.ts';
import { random, RandomBits, randomBits, RandomNormal, randomNormal, RandomUniform, randomUniform } from './index.ts';

/** Sizes around blocks, workgroups, and rows of workgroups. */
const shapes = [[1], [4], [5], [2, 3], [255], [4, 64], [1027], [3, 100_003]];

/** Places near the ends of the counter's first word. */
const places = [0, 1, 2 ** 32 - 2, 2 ** 32, 2 ** 45 + 12345].map((offset) => ({ key: [0xa4093822, 0x299f31d0] as const, offset }));

/** Where two arrays differ by more than the tolerance, quicker than vitest's own comparison. */
function firstDifference(found: ArrayLike<number>, wanted: ArrayLike<number>, tolerance = 0): string | undefined {
  if (found.length !== wanted.length) return `${found.length} numbers, expected ${wanted.length}`;
  for (let i = 0; i < found.length; i++) {
    if (!(Math.abs(found[i]! - wanted[i]!) <= tolerance)) return `${found[i]} at ${i}, expected ${wanted[i]}`;
  }
  return undefined;
}

describe.each(backends)('on %s', (name) => {
  beforeAll(() => backend(name));

  test('words and uniform numbers have the bits of the sequence', async () => {
    for (const shape of shapes) {
      const count = shape.reduce((product, length) => product * length, 1);
      const [bits, uniform] = [randomBits(shape, 7), randomUniform(shape, 7)];
      expect([bits.shape, bits.dtype, uniform.shape, uniform.dtype]).toEqual([shape, 'int32', shape, 'float32']);
      expect(firstDifference(await bits.data(), new Int32Array(random(7).bits(count).buffer))).toBe(undefined);
      expect(firstDifference(await uniform.data(), random(7).uniform(count))).toBe(undefined);
      bits.dispose();
      uniform.dispose();
    }
  });

  test('normal numbers are those of the sequence: bit by bit where floats are rounded as JavaScript does', async () => {
    for (const shape of shapes) {
      const normal = randomNormal(shape, 8);
      const found = await normal.data();
      const wanted = random(8).normal(found.length);
      expect(firstDifference(found, wanted, name === 'webgpu' ? 2e-6 : 0)).toBe(undefined);
      normal.dispose();
    }
  });

  test('at every place of the counter, the carry included', async () => {
    for (const place of places) {
      const bits = RandomBits({}, { ...place, shape: [21] });
      const uniform = RandomUniform({}, { ...place, shape: [21] });
      const wanted = await tidy(() => RandomBits.definition.reference({}, { ...place, shape: [21] })).data();
      expect(await bits.data()).toEqual(wanted);
      expect(await uniform.data()).toEqual(Float32Array.from(wanted, (word) => (word >>> 8) / 2 ** 24));
      bits.dispose();
      uniform.dispose();
    }
  });

  test('a sequence goes on from draw to draw, on the host and in tensors alike', async () => {
    const [a, b] = [random(9), random(9)];
    const first = randomUniform([5], a);
    const second = randomNormal([2, 2], a);
    expect(await first.data()).toEqual(b.uniform(5));
    expect((await second.data())[3]).toBeCloseTo(b.normal(4)[3]!, 5);
    expect(a.offset).toBe(b.offset);
    const empty = randomUniform([0, 3], a);
    expect([empty.shape, a.offset]).toEqual([[0, 3], b.offset]);
    for (const each of [first, second, empty]) each.dispose();
  });

  test('kernels serve, under a tape as well, and nothing is left behind', async () => {
    const x = tensor1d([1, 2, 3]);
    const w = variable(tensor1d([1, 1, 1]));
    const mask = random(3).uniform(3);
    const masked = (): Scalar => sum(mul(square(w), randomUniform([3], 3)));
    masked().dispose();
    resetInspection();
    const before = memory().numTensors;
    const dx = grad((x) => mul(x, randomUniform([3], 3)))(x);
    const { grads, value } = variableGrads(masked, [w]);
    const dw = grads[w.name]!;
    expect(await dx.data()).toEqual(mask);
    expect(await dw.data()).toEqual(mask.map((each) => 2 * each));
    for (const each of [dx, dw, value]) each.dispose();
    expect(memory().numTensors).toBe(before);
    const served = inspect().calls.map(({ op, served, calls }) => [op, served, calls]);
    expect(served).toEqual([['@evenkeel/core/RandomUniform', name === 'cpu' ? 'reference' : 'kernel', 2]]);
    x.dispose();
    w.dispose();
  });
});

test.each([RandomBits, RandomUniform, RandomNormal].map((op) => [op.id, op] as const))(
  'opcheck finds nothing wrong with %s',
  async (_, op) => {
    const cases = [
      { attrs: { shape: [3, 5], key: [1, 2] as const, offset: 3 } },
      { attrs: { shape: [] } },
      { attrs: { shape: [0, 2] } },
      { attrs: { shape: [300], offset: 2 ** 40 } },
      { attrs: { shape: [-1] }, throws: { code: 'INVALID_ARGUMENT', argument: 'shape' } as const },
      { attrs: { shape: [2 ** 16, 2 ** 16] }, throws: { code: 'INVALID_ARGUMENT', argument: 'shape' } as const },
      { attrs: { key: [1, 2 ** 32] as const }, throws: { code: 'INVALID_ARGUMENT', argument: 'key' } as const },
      { attrs: { key: [1] as never }, throws: { code: 'INVALID_ARGUMENT', argument: 'key' } as const },
      { attrs: { offset: -1 }, throws: { code: 'INVALID_ARGUMENT', argument: 'offset' } as const },
    ];
    const report = await opcheck(
      op,
      cases.map((each) => ({ ...each, name: JSON.stringify(each.attrs), inputs: {} })),
      { backends, expectKernel: ['wasm', 'webgpu'] },
    );
    expect(report.failures).toEqual([]);
  },
);

test('the shaders compile', async () => {
  await backend('webgpu');
  await compile([RandomBits, RandomUniform, RandomNormal]);
});

const refused = (run: () => unknown): string => {
  try {
    run();
  } catch (error) {
    if (isEvenkeelError(error, 'INVALID_ARGUMENT')) return error.message;
    throw error;
  }
  return 'accepted';
};

test('bad calls are refused by name, and draw nothing', async () => {
  await backend('cpu');
  const sequence = random(1);
  expect(refused(() => randomUniform([-1], sequence))).toBe('randomUniform: shape is [-1], expected integers >= 0');
  expect(refused(() => randomNormal(3 as never, sequence))).toContain('randomNormal: shape is 3');
  expect(refused(() => randomBits([3], 1.5))).toContain('random: seed is 1.5');
  expect(refused(() => randomBits([3], 'seed' as never))).toContain('randomBits: source is "seed", expected a seed');
  expect(sequence.offset).toBe(0);
});
