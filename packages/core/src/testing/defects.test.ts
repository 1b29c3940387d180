// opcheck must be able to fail: one defect of every kind that it looks for, and what it says of each.
import { backends } from '../../../../tools/test-backends.ts';
import {
  add,
  backend as tfjsBackend,
  getBackend,
  keep,
  mul,
  reshape,
  round,
  scalar,
  square,
  sum,
  tensor,
  type DataId,
  type Tensor,
} from '@tensorflow/tfjs-core';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { cpuRunner } from '../../test/cpu-runner.ts';
import { owner, squareOp, wasmProduct, wgslProduct, type SquareOp } from '../../test/ops.ts';
import { defineOp, unregister, use, type AnyOp } from '../index.ts';
import { opcheck, type OpCase, type OpcheckOptions } from './index.ts';
import { describeFailure } from './record.ts';

const cases: OpCase[] = [{ inputs: { x: { shape: [3, 5] } } }];

/** What a kernel can reach of tfjs' 'webgpu' backend. */
interface GPU {
  readonly queue: GPUQueue;
  readonly tensorMap: Map<DataId, { resource: GPUBuffer }>;
  endComputePassEncoder(): void;
  submitQueue(): void;
}

/** What opcheck finds wrong, a line each. */
async function found(op: AnyOp, given: readonly OpCase[] = cases, options: OpcheckOptions = {}): Promise<string[]> {
  const { failures } = await opcheck(op, given, { backends, failures: 'return', print: false, ...options });
  return failures.map(describeFailure);
}

interface Expectation {
  /** What one of the lines says. */
  message: RegExp;
  /** The checks that fail, each of them on every one of the backends; no other does. '' stands for what concerns all backends. */
  checks: readonly string[];
  on?: readonly string[];
  given?: readonly OpCase[];
  options?: OpcheckOptions;
}

async function caught(op: AnyOp, { message, checks, on = backends, given, options }: Expectation): Promise<void> {
  const lines = await found(op, given, options);
  expect(lines.join('\n')).toMatch(message);
  const starts = checks.flatMap((check) => on.map((backend) => (backend === '' ? check : `${check} on ${backend}`)));
  for (const start of starts)
    expect(
      lines.some((line) => line.startsWith(start)),
      `${start} fails, in ${lines.join('\n')}`,
    ).toBe(true);
  expect(lines.filter((line) => !starts.some((start) => line.startsWith(start)))).toEqual([]);
}

/** An op of two outputs, with an optional input, whole numbers, and a gradient of its own or not. */
function sumsOp(name: string, withGradient: boolean): AnyOp {
  return defineOp({
    name,
    owner,
    inputs: { x: 'm,...,n', bias: { shape: 'n', optional: true }, index: { shape: 'm', dtype: 'int32' } },
    attrs: { scale: 1 },
    outputs: {
      sum: ({ x }) => ({ shape: x.shape, dtype: 'float32' }),
      product: ({ x }) => ({ shape: x.shape, dtype: 'float32' }),
      next: ({ index }) => ({ shape: index.shape, dtype: 'int32' }),
    },
    saveOutputs: ['sum'],
    reference: ({ x, bias, index }, { scale }) => {
      const total = bias ? add(mul(x, scale), bias) : mul(x, scale);
      return { sum: total, product: square(total), next: add(index, scalar(1, 'int32')) };
    },
    ...(withGradient && {
      gradient: (
        dy: Record<string, Tensor>,
        { bias }: { bias?: Tensor | undefined },
        { scale }: { scale: number },
        outputs: Record<string, Tensor>,
      ) => {
        const all = add(dy['sum']!, mul(mul(dy['product']!, outputs['sum']!), 2));
        return { x: mul(all, scale), bias: bias && sum(reshape(all, [-1, all.shape.at(-1)!]), 0) };
      },
    }),
  });
}

test.each([true, false])('a healthy op passes, several outputs and an optional input too, with a gradient of its own: %s', async (own) => {
  const op = sumsOp(`Sums${own}`, own);
  const given: OpCase[] = [
    { inputs: { x: { shape: [3, 5] }, bias: { shape: [5] }, index: [1, 2, 3] } },
    { inputs: { x: { shape: [2, 1, 4] }, index: { shape: [2] } }, attrs: { scale: -2 } },
    { inputs: { x: { shape: [0, 4] }, index: [] } },
    { inputs: { x: [[1, Number.NaN, Infinity]], index: [0] } },
    { inputs: () => ({ x: tensor([[1, 2]]), index: tensor([1], [1], 'int32') }) },
    { inputs: { x: { shape: [2, 4] }, bias: { shape: [5] }, index: [1, 2] }, throws: { code: 'SHAPE', argument: 'bias' } },
  ];
  const report = await opcheck(op, given, { backends, print: false });
  expect(report.notCovered).toEqual([]);
  for (const backend of backends) expect(report.passed).toContainEqual({ check: 'values', backend, times: 5 });
});

describe('values', () => {
  test('a kernel that is wrong on one backend', () =>
    caught(squareOp({ kernels: () => [wasmProduct(), wgslProduct({ body: 'params.factor * 1.001' })] }), {
      message:
        /on webgpu, case 'x \[3, 5\]': y\[\d, \d\] is 0\.\d+, the reference has 0\.\d+ \(\d+ of 15 values differ; error \d.*e-4, tolerance 1e-5\)/,
      checks: ['values', 'slices', 'differences'],
      on: ['webgpu'],
      options: { tolerance: { differences: 1e-4 } },
    }));

  test('a kernel that writes NaN', () =>
    caught(squareOp({ kernels: () => [wasmProduct({ times: Number.NaN })] }), {
      message: /y\[0, 0\] is NaN, the reference has/,
      checks: ['values', 'slices', 'differences'],
      on: ['wasm'],
      options: { secondOrder: false },
    }));

  test('a reference that is not finite', () =>
    caught(squareOp({ reference: ({ x }) => mul(x, Infinity) }), {
      message: /y of the reference is not finite, for finite inputs/,
      checks: ['values'],
      on: [''],
    }));

  test('an infinity in another place, unless told otherwise', async () => {
    const op = squareOp({ kernels: () => [wasmProduct({ times: 1e30 })] });
    const given: OpCase[] = [{ inputs: { x: [1e10, Infinity] }, tolerance: 1e40 }];
    expect((await found(op, given, { backends: ['wasm'] })).join()).toMatch(/y\[0\] is Infinity, the reference has 1\d{20} /);
    expect(await found(op, [{ ...given[0]!, nonFinite: 'ignore' }], { backends: ['wasm'] })).toEqual([]);
  });

  test('a wrong shape is declared', () =>
    caught(squareOp({ output: ({ x }) => ({ shape: x.shape.slice(1), dtype: 'float32' }), kernels: () => [] }), {
      message: /y is declared with shape \[5\], the reference's has \[3, 5\]/,
      checks: ['declaration', 'empty batch'],
      on: [''],
    }));

  test('a wrong dtype is declared', () =>
    caught(squareOp({ output: ({ x }) => ({ shape: x.shape, dtype: 'int32' }), kernels: () => [] }), {
      message: /y is declared int32, the reference's is float32/,
      checks: ['declaration', 'empty batch'],
      on: [''],
    }));

  test('outputs under other names are declared', () =>
    caught(
      defineOp({
        name: 'Misnamed',
        owner,
        inputs: { x: '...' },
        outputs: { y: ({ x }) => x, z: ({ x }) => x },
        reference: ({ x }) => ({ y: mul(x, 1), w: mul(x, 2) }),
      }),
      { message: /outputs y, z are declared, the reference returns y, w/, checks: ['declaration', 'values', 'empty batch'], on: [''] },
    ));

  test('a result that changes from call to call', () => {
    let calls = 0;
    const unsteady = wasmProduct(
      {},
      { plan: () => ({ calls: [{ export: 'product', args: ['x', 'x', 'y', 15, 1 + (calls++ % 2) * 1e-6] }] }) },
    );
    return caught(squareOp({ kernels: () => [unsteady] }), {
      message: /y differs between two calls with the same inputs/,
      checks: ['repeatable'],
      on: ['wasm'],
      options: { gradient: false },
    });
  });

  test('a kernel that takes a slice for the whole', () =>
    caught(
      squareOp({
        reference: ({ x }, { factor }) => {
          if (getBackend() !== 'cpu') return mul(square(x), factor);
          // The cpu backend's slices are views.
          const storage = new Float32Array(x.dataSync().buffer, 0, x.size);
          return mul(mul(x, tensor(storage.slice(), x.shape)), factor);
        },
      }),
      { message: /slices on cpu/, checks: ['slices'], on: ['cpu'], options: { gradient: false } },
    ));
});

describe('what a call leaves', () => {
  test('a tensor that is never freed', () =>
    caught(squareOp({ check: () => void keep(scalar(1)) }), {
      message: /a call leaves 1 tensors and 1 buffers of the backend behind/,
      checks: ['no leaks'],
      options: { gradient: false },
    }));

  test('a tensor that the gradient never frees', () =>
    caught(squareOp({ gradient: (dy, { x }) => ({ x: mul(mul(dy, x), keep(scalar(2))) }) }), {
      message: /no leaks on cpu, case 'x \[3, 5\]': a gradient leaves 1 tensors and 1 buffers/,
      checks: ['no leaks'],
    }));

  test('a buffer that no tensor owns', () =>
    caught(
      squareOp({
        check: () => void (tfjsBackend() as unknown as { write(...args: unknown[]): object }).write(new Float32Array(4), [4], 'float32'),
      }),
      { message: /a call leaves 0 tensors and 1 buffers of the backend behind/, checks: ['no leaks'], options: { gradient: false } },
    ));

  test('a refused call that keeps something', () =>
    caught(
      squareOp({
        check: ({ x }) => {
          const limit = scalar(1);
          if (x.size > 4) throw new RangeError('too large');
          limit.dispose();
        },
      }),
      {
        message: /bad calls on wasm, case 'too large': threw RangeError: too large, expected an EvenkeelError of code SHAPE/,
        checks: ['bad calls'],
        given: [{ inputs: { x: [1, 2] } }, { name: 'too large', inputs: { x: { shape: [5] } }, throws: 'SHAPE' }],
      },
    ));

  test('an input that is written to, by a WASM kernel', () =>
    caught(
      squareOp({
        kernels: () => [
          wasmProduct(
            {},
            {
              plan: ({ attrs }) => ({
                calls: [
                  { export: 'product', args: ['x', 'x', 'y', 15, attrs.factor] },
                  { export: 'product', args: ['x', 'x', 'x', 15, 2] },
                ],
              }),
            },
          ),
        ],
      }),
      { message: /the call writes to its input x/, checks: ['inputs unchanged'], on: ['wasm'], options: { gradient: false } },
    ));

  test('an input that is written to, on cpu and on the GPU behind the copy that tfjs keeps', () =>
    caught(
      squareOp({
        kernels: () => [],
        reference: ({ x }, { factor }) => {
          const y = mul(square(x), factor);
          if (getBackend() === 'cpu') x.dataSync()[0] = 9;
          if (getBackend() === 'webgpu') {
            const gpu = tfjsBackend() as unknown as GPU;
            gpu.endComputePassEncoder();
            gpu.submitQueue();
            gpu.queue.writeBuffer(gpu.tensorMap.get(x.dataId)!.resource, 0, new Float32Array([9]));
          }
          return y;
        },
      }),
      { message: /the call writes to its input x/, checks: ['inputs unchanged'], on: ['cpu', 'webgpu'], options: { gradient: false } },
    ));

  test('an output that is the memory of an input', async () => {
    const runner = cpuRunner(({ x }) => [{ dataId: x!.dataId, shape: x!.shape, dtype: x!.dtype }]);
    use(runner);
    await caught(squareOp({ reference: ({ x }) => mul(x, 1) }), {
      message: /output y shares the memory of input x/,
      checks: ['no aliases'],
      on: ['cpu'],
      options: { backends: ['cpu'], gradient: false },
    });
    unregister(runner);
  });

  test('but not an output that tfjs counts as another owner of the memory', async () => {
    expect(await found(squareOp({ reference: ({ x }) => x, kernels: () => [] }), cases, { gradient: false })).toEqual([]);
  });
});

describe('gradients', () => {
  test('a formula that is wrong by 2 %', () =>
    caught(squareOp({ gradient: (dy, { x }, { factor }) => ({ x: mul(mul(dy, x), 2.04 * factor) }) }), {
      message: /the gradient of x, along a direction, is \S+, finite differences give \S+ \(2\.0 % off, tolerance 0\.2 %\)/,
      checks: ['gradient', 'differences'],
    }));

  test('a kernel of the gradient that is wrong by 2 % on one backend', () =>
    caught(squareOp({}, { kernels: () => [wasmProduct({ other: 'dy', times: 2.04 }), wgslProduct({ other: 'dy', times: 2 })] }), {
      message: /the gradient of x\[\d, \d\] is \S+, autodiff of the reference has/,
      checks: ['gradient', 'differences', 'second order'],
      on: ['wasm'],
    }));

  test('a gradient that is right, but not to be differentiated', () =>
    caught(
      squareOp({
        gradient: (dy, { x }) => ({
          x: mul(
            dy,
            tensor(
              x.dataSync().map((value) => 2 * value),
              x.shape,
            ),
          ),
        }),
        kernels: () => [],
      }),
      {
        message: /second order on cpu.* is 0\.00000, finite differences give/,
        checks: ['second order'],
        on: ['cpu'],
        options: { backends: ['cpu'] },
      },
    ));

  test('an input without a gradient, unless it is not to have one', async () => {
    const op = defineOp({
      name: 'Weighted',
      owner,
      inputs: { x: '...', weight: '...' },
      reference: ({ x, weight }) => mul(x, weight),
      gradient: (dy, { weight }) => ({ x: mul(dy, weight) }),
    });
    const inputs = { x: { shape: [3] }, weight: { shape: [3] } };
    expect((await found(op, [{ inputs }])).join()).toMatch(/Cannot backprop through input weight/);
    expect(await found(op, [{ inputs, wrt: ['x'] }])).toEqual([]);
  });

  test('a defined gradient is held to nothing but itself', async () => {
    const straightThrough = {
      reference: ({ x }: { x: Tensor }) => round(x),
      kernels: () => [],
      gradient: (dy: Tensor) => ({ x: mul(dy, 1) }),
    };
    const given: OpCase[] = [{ inputs: { x: [0.3, 1.2, 2.8] } }];
    expect((await found(squareOp(straightThrough), given)).join()).toMatch(/gradient on cpu/);
    expect(await found(squareOp({ ...straightThrough, gradientKind: 'defined' }), given)).toEqual([]);
    const differs = { ...straightThrough, gradient: (dy: Tensor) => ({ x: mul(dy, getBackend() === 'wasm' ? 2 : 1) }) };
    expect((await found(squareOp({ ...differs, gradientKind: 'defined' }), given)).join()).toMatch(
      /gradient on wasm, .*: the gradient of x\[\d\] is \S+, the op's own on cpu has/,
    );
  });
});

describe('kernels', () => {
  test('one that quietly leaves the work to the reference', () =>
    caught(
      squareOp({ kernels: () => [wasmProduct({}, { supports: () => 'not today' }), wgslProduct({}, { supports: () => 'nor here' })] }),
      {
        message: /kernel on webgpu, case 'x \[3, 5\]': the reference served @test\/square\/Square\d+: nor here/,
        checks: ['kernel'],
        on: ['wasm', 'webgpu'],
      },
    ));

  test('one of the gradient that does so', () =>
    caught(
      squareOp(
        {},
        { kernels: () => [wasmProduct({ other: 'dy', times: 2 }, { supports: () => 'too hard' }), wgslProduct({ other: 'dy', times: 2 })] },
      ),
      {
        message: /the reference served @test\/square\/Square\d+Grad: too hard/,
        checks: ['kernel'],
        on: ['wasm'],
      },
    ));

  test('one that is not there, where it is asked for', async () => {
    const onWasmOnly = { kernels: () => [wasmProduct()] };
    await caught(squareOp(onWasmOnly), {
      message: /the reference served .*: no wgsl kernel/,
      checks: ['kernel'],
      on: ['webgpu'],
      options: { expectKernel: true },
    });
    expect(await found(squareOp(onWasmOnly), cases, { expectKernel: ['wasm'] })).toEqual([]);
    expect(await found(squareOp(onWasmOnly))).toEqual([]);
  });

  test('refusing is allowed where the case says so', async () => {
    const op = squareOp({
      kernels: () => [wasmProduct({}, { supports: ({ inputs }) => (inputs['x']!.shape.length > 1 ? 'rank 1 only' : undefined) })],
    });
    expect(await found(op, [{ inputs: { x: [1, 2, 3] } }, { inputs: { x: [[1, 2, 3]] }, expectKernel: false }])).toEqual([]);
  });

  test('a shader that does not compile', () =>
    caught(squareOp({ kernels: () => [wgslProduct({ body: 'undefinedThing' })] }), {
      message: /compile on webgpu: .*Square\d+: line \d+:\d+: unresolved value 'undefinedThing'/,
      checks: ['compile'],
      on: ['webgpu'],
    }));

  test('a shader of the gradient that does not compile', () =>
    caught(squareOp({}, { kernels: () => [wgslProduct({ other: 'dy', body: 'undefinedThing' })] }), {
      message: /gradient on webgpu.*Square\d+Grad: line \d+:\d+: unresolved value 'undefinedThing'/,
      checks: ['gradient'],
      on: ['webgpu'],
    }));

  test('a kernel that traps', () =>
    caught(
      squareOp({ kernels: () => [wasmProduct({}, { plan: () => ({ calls: [{ export: 'product', args: [-16, 'x', 'y', 4, 1] }] }) })] }),
      {
        message: /values on wasm.*the WASM kernel failed: memory access out of bounds/,
        checks: ['values'],
        on: ['wasm'],
      },
    ));
});

describe('empty batches', () => {
  test('one that is answered with another shape than the reference has', () =>
    caught(squareOp({ output: ({ x }) => ({ shape: x.shape.map((length) => length || 1), dtype: 'float32' }) }), {
      message: /y has shape \[1, 5\], the reference has \[0, 5\]/,
      checks: ['empty batch'],
    }));

  test('one that is answered with other values', () =>
    caught(
      defineOp({
        name: 'Count',
        owner,
        inputs: { x: 'm,n' },
        output: ({ x }) => ({ shape: x.shape.slice(1), dtype: 'float32' }),
        reference: ({ x }) => add(sum(x, 0), 1),
      }),
      { message: /empty batch on wasm, case 'x \[0, 5\]': y\[0\] is 0, the reference has 1/, checks: ['empty batch'] },
    ));

  test('one that brings an error that is none of ours', () =>
    caught(
      squareOp({
        check: ({ x }) => {
          if (x.size === 0) throw new Error('division by zero');
        },
      }),
      { message: /empty batch on cpu.*threw Error: division by zero/, checks: ['empty batch'] },
    ));

  test('one that is refused on some backends only', () =>
    caught(
      squareOp({
        inputs: { x: '...' },
        check: ({ x }) => {
          if (x.size === 0 && getBackend() === 'wasm') squareOp({ inputs: { x: 'n,n,n,n' } as never })({ x });
        },
      }),
      { message: /on cpu it is answered, here it is refused \(Square\d+: x has shape \[0, 5\]/, checks: ['empty batch'], on: ['wasm'] },
    ));
});

test('an op that swallows wrong options', () => {
  const op = squareOp();
  const lax = Object.assign(((inputs, attrs) => op(inputs, { factor: Number(attrs?.factor) || 1 })) as SquareOp, {
    id: op.id,
    definition: op.definition,
  });
  return caught(lax, {
    message: /bad calls on wasm, case 'unknown option': nothing was thrown, expected INVALID_ARGUMENT/,
    checks: ['bad calls'],
  });
});

/** Vectors of up to 40 elements. */
const vectors: OpcheckOptions = {
  property: (holds) =>
    fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 40 }), (n) => holds({ inputs: { x: { shape: [n], low: 1, high: 2 } } })),
      { seed: 7, numRuns: 12 },
    ),
};

test('a property, with the smallest case that fails', async () => {
  const rest = wasmProduct(
    {},
    { plan: ({ inputs }) => ({ calls: [{ export: 'product', args: ['x', 'x', 'y', inputs['x']!.shape[0]! & ~3, 1] }] }) },
  );
  const good: OpCase[] = [{ inputs: { x: { shape: [8] } } }];
  await caught(squareOp({ kernels: () => [rest] }), {
    message: /property on wasm: [^]*Counterexample: \[1\][^]*y\[0\] is \S+, the reference has/,
    checks: ['property'],
    on: ['wasm'],
    given: good,
    options: vectors,
  });
  const { passed } = await opcheck(squareOp() as AnyOp, good, { backends, print: false, ...vectors });
  expect(passed).toContainEqual({ check: 'property', backend: 'wasm', times: 12 });
});

test('asks for what it needs, by name', async () => {
  await expect(opcheck(squareOp() as AnyOp, cases, { backends: ['webgl'], print: false })).rejects.toThrow(
    /name is "webgl", expected 'auto' or one of/,
  );
  await expect(opcheck(squareOp(), [{ inputs: { x: [[1], [1, 2]] } }])).rejects.toThrow(/x is .*, expected nested arrays of equal length/);
  await expect(opcheck(squareOp(), [{ inputs: { x: { shape: [3], values: [1] } } }])).rejects.toThrow(
    /x has 1 values, expected 3 for \[3\]/,
  );
});
