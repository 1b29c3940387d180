import * as tf from '@tensorflow/tfjs-core';
import {
  backend,
  compile,
  defineOp,
  inspect,
  resetInspection,
  use,
  wgslKernel,
  type AnyOp,
  type KernelCall,
  type WgslPlan,
} from '@evenkeel/core';
import { describe, expect, test, vi } from 'vitest';
import { expected, expectedLoss } from '../test/expected.ts';
import { HEAD, Mix, opOf, PLUS_ONE, SYNTAX } from '../test/ops.ts';
import { loss, scenario } from '../test/scenario.ts';
import { counters, resetCounters, webgpu } from './index.ts';
import { spread, webgpuRunner } from './runner.ts';

test('runs kernels in order with tfjs, several outputs, errors at the next read', async () => {
  expect(await scenario()).toEqual(expected);
});

test('says that a lost device took its tensors along, and starts anew', async () => {
  expect(await loss()).toEqual(expectedLoss);
});

const owner = { name: '@test/runner', version: '1.0.0' };
let ops = 0;

/** y = x + 1 by this plan. */
function planned(plan: WgslPlan, code = PLUS_ONE): AnyOp {
  return defineOp({
    name: `Planned${ops++}`,
    owner,
    inputs: { x: 'n' },
    reference: ({ x }) => tf.add(x, 1),
    kernels: () => [wgslKernel({ shaders: { main: { code }, other: { code, requires: ['time-travel'] } }, plan: () => plan })],
  });
}

/** A call with a vector of this length, which nobody allocates. */
const callOf = (length: number): KernelCall => {
  const spec = { shape: [length], dtype: 'float32' as const };
  return { inputs: { x: spec, absent: undefined }, outputs: { y: spec }, attrs: {} };
};

const device = (): GPUDevice => (tf.backend() as unknown as { device: GPUDevice }).device;
const main = { shader: 'main', workgroups: 3 };

describe('on the running backend', async () => {
  use(webgpu({ allowSoftware: true }));
  await backend('webgpu');

  test.each(['int32', 'bool'] as const)('reads what tfjs has cast from %s as float32', async (dtype) => {
    const op = planned({ dispatches: [{ ...main, workgroups: 200 }] });
    const before = [tf.memory().numTensors, tf.backend().numDataIds()];
    const values = Int32Array.from({ length: 200 }, (_, i) => i % 2);
    const found = tf.tidy(() => {
      const uploaded = tf.tensor(values, [200], dtype);
      // Once from memory, and once from what a kernel left on the GPU.
      return [uploaded, tf.reverse(uploaded)].map((x) => op({ x: tf.cast(x, 'float32') }) as tf.Tensor);
    });
    expect(await found[0]!.data()).toEqual(Float32Array.from(values, (value) => value + 1));
    expect((await found[1]!.data()).slice(0, 4)).toEqual(Float32Array.from([2, 1, 2, 1]));
    tf.dispose(found);
    expect([tf.memory().numTensors, tf.backend().numDataIds()]).toEqual(before);
  });

  test.each<[string, WgslPlan, string]>([
    ['names no shader', { dispatches: [{ shader: 'mian', workgroups: 3 }] }, 'the plan names shader mian, expected one of main, other'],
    ['needs a feature', { dispatches: [{ shader: 'other', workgroups: 3 }] }, 'shader other needs time-travel'],
    ['gives a uniform', { dispatches: [{ ...main, uniforms: { rows: 3 } }] }, 'shader main has no uniform rows; expected none'],
    ['wants too many workgroups', { dispatches: [{ ...main, workgroups: [70000, 1] }] }, 'the plan wants 70000 x 1 x 1 workgroups'],
    ['is half good', { dispatches: [main, { ...main, workgroups: [1, 1, 70000] }] }, 'the plan wants 1 x 1 x 70000 workgroups'],
  ])('refuses a plan that %s at once, and leaves nothing behind', async (_, plan, message) => {
    const op = planned(plan);
    const x = tf.tensor1d([1, 2, 3]);
    for (let call = 0; call < 2; call++) {
      const before = [tf.memory().numTensors, tf.engine().backend.numDataIds()];
      expect(() => op({ x })).toThrow(`${op.definition.name}: ${message}`);
      expect([tf.memory().numTensors, tf.engine().backend.numDataIds()]).toEqual(before);
    }
    expect([...(await tf.add(x, 1).data())]).toEqual([2, 3, 4]);
  });

  test('refuses a shader that writes what is neither output nor scratch', () => {
    const op = planned({ dispatches: [main] }, PLUS_ONE.replaceAll('y', 'z'));
    expect(() => op({ x: tf.tensor1d([1]) })).toThrow('shader main writes z, which is neither an output nor scratch; expected y');
  });

  test('reports a plan that WebGPU refuses: an entry point that is not there', async () => {
    const op = planned({ dispatches: [{ ...main, entryPoint: 'run' }] });
    const y = op({ x: tf.tensor1d([1, 2, 3]) }) as tf.Tensor;
    await expect(y.data()).rejects.toMatchObject({ code: 'WGSL', op: op.definition.name, message: expect.stringContaining('"run"') });
    await expect(y.data()).rejects.toMatchObject({ code: 'WGSL' });
  });

  test('hears of an error once, though the op was called twice before it was known', async () => {
    const Bad = opOf('Twice', SYNTAX);
    const x = tf.tensor1d([1, 2, 3]);
    const results = [Bad({ x }), Bad({ x })] as tf.Tensor[];
    const other = tf.add(x, 1);
    await expect(other.data()).rejects.toThrow(/^Twice: line 3:\d+/);
    expect([...(await other.data())]).toEqual([2, 3, 4]);
    for (const result of results) await expect(result.data()).rejects.toThrow(/^Twice: line 3:\d+/);
    expect(() => results[0]!.dataSync()).toThrow(/^Twice: line 3:\d+/);
  });

  test('compiles once, for each set of constants', async () => {
    const create = vi.spyOn(device(), 'createComputePipeline');
    const compiled = vi.spyOn(device(), 'createComputePipelineAsync');
    const x = tf.tensor2d([1, 2], [1, 2]);
    // Unlike any in the scenario.
    for (let call = 0; call < 3; call++) Mix({ x }, { offset: 11 });
    expect(create).toHaveBeenCalledTimes(1);
    await Mix({ x }, { offset: 12 }).sum.data();
    expect(create).toHaveBeenCalledTimes(2);
    const op = planned({ dispatches: [main] });
    await compile([op]);
    expect(compiled).toHaveBeenCalledTimes(1);
    await compile([op]);
    await (op({ x: tf.tensor1d([1, 2, 3]) }) as tf.Tensor).data();
    expect(compiled).toHaveBeenCalledTimes(1);
    expect(create).toHaveBeenCalledTimes(2);
    create.mockRestore();
    compiled.mockRestore();
  });

  test('compiles overrides that have no value, and every entry point', async () => {
    const code = `override width: u32;\n${PLUS_ONE}\n@compute @workgroup_size(width) fn second() { y[0] = true; }`;
    const plan = { dispatches: [{ ...main, constants: { width: 1 } }] };
    await expect(compile([planned(plan, code)])).rejects.toThrow(/line 5:\d+: cannot assign 'bool' to 'f32' \(shader main\)/);
    await compile([planned(plan, code.replace('true', '1.0'))]);
    await expect(compile([planned(plan, HEAD)])).rejects.toThrow('shader main has no @compute entry point');
  });

  test('runs validated kernels in the pass of tfjs', async () => {
    const op = opOf('Shared', PLUS_ONE);
    const x = tf.tensor1d([1, 2, 3]);
    await (op({ x }) as tf.Tensor).data();
    const submit = vi.spyOn(device().queue, 'submit');
    let y = x as tf.Tensor;
    // Fewer than tfjs gathers before it submits.
    for (let step = 0; step < 5; step++) y = tf.mul(op({ x: y }) as tf.Tensor, 1);
    expect(submit).not.toHaveBeenCalled();
    expect([...(await y.data())]).toEqual([6, 7, 8]);
    submit.mockRestore();
  });

  test('counts dispatches and bytes', () => {
    resetCounters();
    const op = opOf('Counted', PLUS_ONE);
    const x = tf.tensor1d([1, 2, 3, 4, 5, 6]);
    tf.dispose(op({ x }));
    expect(counters()).toEqual({ dispatches: 1, bytesRead: 24, bytesWritten: 24 });
    tf.dispose(tf.mul(x, x));
    expect(counters()).toEqual({ dispatches: 2, bytesRead: 72, bytesWritten: 48 });
    resetCounters();
    expect(counters()).toEqual({ dispatches: 0, bytesRead: 0, bytesWritten: 0 });
  });

  test('leaves to the reference what the device cannot bind, and what lacks its features', async () => {
    const kernel = wgslKernel({ shaders: { main: { code: PLUS_ONE } }, plan: () => ({ dispatches: [] }) });
    expect(webgpuRunner.refuses(kernel, callOf(2 ** 20), tf.backend())).toBeUndefined();
    expect(webgpuRunner.refuses(kernel, callOf(2 ** 34), tf.backend())).toMatch(
      /^x has 68719476736 bytes, and the device binds no more than/,
    );
    expect(webgpuRunner.refuses(kernel, callOf(1), {})).toContain('is not of @tensorflow/tfjs-backend-webgpu');
    const op = defineOp({
      name: 'Futuristic',
      owner,
      inputs: { x: 'n' },
      reference: ({ x }) => tf.add(x, 1),
      kernels: () => [wgslKernel({ shaders: { main: { code: PLUS_ONE, requires: ['time-travel'] } }, plan: () => ({ dispatches: [] }) })],
    });
    resetInspection();
    expect([...(await op({ x: tf.tensor1d([1]) }).data())]).toEqual([2]);
    expect(inspect().calls).toMatchObject([{ served: 'reference', reason: 'the device has no time-travel' }]);
  });
});

test('spreads workgroups nearly square', () => {
  expect(spread('Op', 65535, 65535)).toEqual([65535, 1, 1]);
  expect(spread('Op', [3, 4], 65535)).toEqual([3, 4, 1]);
  const [x, y] = spread('Op', 70_001, 65535);
  expect([x, y]).toEqual([265, 265]);
  expect(x * y).toBeGreaterThanOrEqual(70_001);
});
