import { backends } from '../../../tools/test-backends.ts';
import {
  add,
  div,
  engine,
  env,
  getGradient,
  getKernel,
  grad,
  grads,
  memory,
  mul,
  ones,
  profile,
  removeBackend,
  reshape,
  scalar,
  square,
  sum,
  tensor,
  tidy,
  variable,
  variableGrads,
  type Scalar,
  type Tensor,
} from '@tensorflow/tfjs-core';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { failure } from '../test/failure.ts';
import { owner, squareOp, type SquareDefinition } from '../test/ops.ts';
import { backend, defineOp, findOp, inspect, resetInspection, unregister } from './index.ts';

const host = async (t: Tensor): Promise<number[]> => Array.from(await t.data());

/** y = x + residual, sum optional: two inputs whose gradients are one tensor. */
const Residual = defineOp({
  name: 'Residual',
  owner,
  inputs: { x: '...', residual: '...', bias: { shape: 'n', optional: true } },
  reference: ({ x, residual, bias }) => (bias ? add(add(x, residual), bias) : add(x, residual)),
  gradient: (dy, { bias }) => ({ x: dy, residual: dy, bias: bias && (() => sum(reshape(dy, [-1, bias.shape[0]!]), 0)) }),
});

/** 2 x is 2 y / x as well. */
const byOutput: SquareDefinition['gradient'] = (dy, { x }, _, y) => ({ x: mul(dy, div(mul(y, 2), x)) });

describe.each(backends)('on %s', (name) => {
  beforeEach(async () => {
    await backend(name);
    env().set('WEBGPU_CPU_FORWARD', false);
    resetInspection();
  });

  test('registers on first use, inside tidy and under a tape that records, and is seen by profile', async () => {
    const op = squareOp();
    expect(op.id).toBe(`@test/square/${op.definition.name}`);
    expect([findOp(op.id), getKernel(op.id, name), getGradient(op.id)]).toEqual([undefined, undefined, undefined]);
    const x = tensor([1, 2, 3]);
    const dx = tidy(() => grad((t: Tensor) => sum(op({ x: t }, { factor: 2 })))(x));
    expect(await host(dx)).toEqual([4, 8, 12]);
    expect(findOp(op.id)).toBe(op);
    const { kernelNames } = await profile(() => op({ x }));
    expect(kernelNames).toContain(op.id);
    unregister(op as never);
    expect([findOp(op.id), getKernel(op.id, name), getGradient(op.id)]).toEqual([undefined, undefined, undefined]);
    expect(await host(op({ x }))).toEqual([1, 4, 9]);
  });

  test('tells how calls were served', async () => {
    const op = squareOp({ kernels: () => [] });
    const x = tensor([1, 2]);
    op({ x }).dispose();
    op({ x }).dispose();
    op({ x: tensor([], [0]) }).dispose();
    const kind = { wasm: 'wasm', webgpu: 'wgsl' }[name];
    expect(inspect().calls.filter((call) => call.op === op.id)).toEqual([
      { op: op.id, backend: name, served: 'reference', reason: kind ? `no ${kind} kernel` : "nothing runs kernels on 'cpu'", calls: 2 },
      { op: op.id, backend: name, served: 'empty', calls: 1 },
    ]);
  });

  test('optional inputs may be absent, undefined or null, each a kernel of its own, each differentiable', async () => {
    const [x, residual, bias] = [tensor([[1, 2]]), tensor([[3, 4]]), tensor([5, 6])];
    expect(await host(Residual({ x, residual }))).toEqual([4, 6]);
    expect(await host(Residual({ x, residual, bias }))).toEqual([9, 12]);
    expect(await host(Residual({ x, residual, bias: undefined }))).toEqual([4, 6]);
    expect(await host(Residual({ bias: null, residual, x } as never))).toEqual([4, 6]);
    expect(getKernel(`${Residual.id}(x,residual)`, name)).toBeDefined();
    const f = (a: Tensor, b: Tensor): Tensor => sum(mul(Residual({ x: a, residual: b }), a));
    const [dx, dresidual] = grads(f)([x, residual]);
    expect([await host(dx!), await host(dresidual!)]).toEqual([
      [5, 8],
      [1, 2],
    ]);
    const dbias = grad((b: Tensor) => sum(Residual({ x, residual, bias: b })))(bias);
    expect(await host(dbias)).toEqual([1, 1]);
  });

  test('one gradient for two inputs, added to others, is not disposed under way', async () => {
    const x = tensor([1, 2]);
    // The same tensor in both places, and once more beside: tfjs adds three gradients and disposes what it has added.
    const dx = grad((t: Tensor) => sum(add(Residual({ x: t, residual: t }), mul(t, 3))))(x);
    expect(await host(dx)).toEqual([5, 5]);
  });

  test('variableGrads, and nothing left of them', async () => {
    const weight = variable(scalar(2));
    const op = squareOp();
    const step = (): Record<string, Tensor> => tidy(() => variableGrads(() => sum(op({ x: mul(ones([3]), weight) })) as Scalar).grads);
    const first = step();
    expect(await host(first[weight.name]!)).toEqual([12]);
    const before = [memory().numTensors, engine().backend.numDataIds()];
    const second = step();
    await host(second[weight.name]!);
    second[weight.name]!.dispose();
    expect([memory().numTensors, engine().backend.numDataIds()]).toEqual(before);
  });

  test('second-order gradients, with a gradient of its own and without', async () => {
    const x = tensor([1, 2, 3]);
    for (const op of [squareOp(), squareOp({ gradient: undefined as never })]) {
      const slope = grad((t: Tensor) => sum(mul(op({ x: t }), t)));
      expect(await host(slope(x))).toEqual([3, 12, 27]);
      expect(await host(grad((t: Tensor) => sum(slope(t)))(x))).toEqual([6, 12, 18]);
    }
  });

  test('second-order gradients through saved outputs', async () => {
    const op = squareOp({ saveOutputs: ['y'], gradient: byOutput });
    const x = tensor([1, 2, 4]);
    const slope = grad((t: Tensor) => sum(op({ x: t })));
    expect(await host(slope(x))).toEqual([2, 4, 8]);
    expect(await host(grad((t: Tensor) => sum(slope(t)))(x))).toEqual([2, 2, 2]);
  });

  test('a reference that hands out its input does not hand out its life', async () => {
    const same = squareOp({ reference: ({ x }) => x, gradient: undefined as never, kernels: () => [] });
    const x = tensor([1, 2]);
    const y = same({ x });
    expect(y).not.toBe(x);
    y.dispose();
    expect(await host(x)).toEqual([1, 2]);
    const dx = grad((t: Tensor) => {
      const z = same({ x: t });
      expect(z).not.toBe(t);
      return sum(mul(z, 3));
    })(x);
    expect(await host(dx)).toEqual([3, 3]);
  });

  test('empty tensors: zeros of the declared shapes, also as gradients, with a gradient of its own and without', async () => {
    const none = tensor([], [0, 3]);
    const Columns = defineOp({
      name: `Columns-${name}`,
      owner,
      inputs: { x: 'm,n' },
      outputs: {
        sum: ({ x }) => ({ shape: x.shape.slice(1), dtype: 'float32' }),
        count: ({ x }) => ({ shape: x.shape, dtype: 'int32' }),
      },
      reference: ({ x }) => ({ sum: sum(x, 0), count: mul(tensor([1], [1], 'int32'), tensor([], [0, 3], 'int32')) }),
    });
    const { sum: total, count } = Columns({ x: none });
    expect([total.shape, await host(total), count.shape, count.dtype, await host(count)]).toEqual([[3], [0, 0, 0], [0, 3], 'int32', []]);
    for (const op of [squareOp(), squareOp({ gradient: undefined as never })]) {
      const dx = grad((t: Tensor) => op({ x: t }))(none, tensor([], [0, 3]));
      expect([dx.shape, await host(dx)]).toEqual([[0, 3], []]);
    }
    const [, dbias] = grads((t: Tensor, bias: Tensor) => Residual({ x: t, residual: none, bias }))(
      [none, tensor([1, 2, 3])],
      tensor([], [0, 3]),
    );
    expect([dbias!.shape, await host(dbias!)]).toEqual([[3], [0, 0, 0]]);
  });

  test('after setBackend back and forth', async () => {
    const op = squareOp();
    const values = async (): Promise<number[]> => host(op({ x: tensor([1, 2, 3]) }));
    expect(await values()).toEqual([1, 4, 9]);
    for (const other of [...backends, name]) {
      await backend(other);
      expect(await values()).toEqual([1, 4, 9]);
    }
  });
});

test.each(['wasm', 'webgpu'])('after %s is removed and made again', async (name) => {
  const op = squareOp();
  await backend(name);
  const old = op({ x: tensor([1, 2]) });
  expect(await host(old)).toEqual([1, 4]);
  removeBackend(name);
  old.dispose();
  await backend(name);
  resetInspection();
  const dx = grad((t: Tensor) => sum(op({ x: t })))(tensor([1, 2, 3]));
  expect(await host(dx)).toEqual([2, 4, 6]);
  expect(inspect().calls).toMatchObject([{ served: 'kernel' }, { served: 'kernel' }]);
});

test('a result without what is declared', async () => {
  await backend('cpu');
  const op = defineOp({
    name: 'Halves',
    owner,
    inputs: { x: '...' },
    outputs: { low: ({ x }) => x, high: ({ x }) => x },
    reference: ({ x }) => ({ low: square(x), hihg: square(x) }),
  });
  const x = tensor([1]);
  const before = memory().numTensors;
  expect(failure(() => op({ x }))).toMatchObject({
    code: 'KERNEL',
    message: 'Halves: the reference returns low, hihg, expected low, high',
  });
  expect(memory().numTensors).toBe(before);
});

afterAll(() => backend('cpu'));
