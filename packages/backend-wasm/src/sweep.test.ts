// Every kernel that 'wasm' has, ours and tfjs' own, beside the one of 'cpu': forward, gradient, and no buffer left.
import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-backend-wasm';
import '@evenkeel/core/register-gradients';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { difference } from '../test/agree.ts';
import { allCases, type Case } from '../test/cases.ts';
import { wasmFeatures } from './features.ts';
import { standDown, standIn } from './kernels/index.ts';
import { wasm } from './plugin.ts';

/** Of the largest value. */
const TOLERANCE = 2e-6;

/** Kernels that have no counterpart on 'cpu', or none with equal results; what is tested instead. */
const elsewhere: Readonly<Record<string, string>> = {
  LogicalXor: 'cpu has none; below',
  Multinomial: 'random; below',
  LogSoftmax: 'cpu has none; softmax.test.ts',
  EvenkeelSoftmaxGrad: 'ours; softmax.test.ts',
  EvenkeelDerivative: 'ours; the gradients of Tanh, Sigmoid, Relu, Relu6, ClipByValue and Square above',
  EvenkeelLogSumExp: 'ours; softmax.test.ts',
  EvenkeelMoments: 'ours; functions.test.ts',
  EvenkeelNorm: 'ours; functions.test.ts',
  Complex: 'complex.test.ts',
  Real: 'complex.test.ts',
  Imag: 'complex.test.ts',
  ComplexAbs: 'complex.test.ts',
  FFT: 'fft.test.ts',
  IFFT: 'fft.test.ts',
};

interface Result {
  shape: number[];
  dtype: tf.DataType;
  values: ArrayLike<number>;
}

async function read(tensors: tf.Tensor[]): Promise<Result[]> {
  const results = await Promise.all(tensors.map(async (each) => ({ shape: each.shape, dtype: each.dtype, values: await each.data() })));
  tf.dispose(tensors);
  return results;
}

const run = ({ kernel, attrs }: Case, inputs: Case['inputs']): tf.Tensor[] =>
  [tf.engine().runKernel(kernel, inputs as unknown as tf.NamedTensorMap, attrs)].flat() as tf.Tensor[];

const forward = (given: Case): tf.Tensor[] => run(given, given.inputs);

/** The sum of an output, each element with a weight of its own. */
const weigh = (y: tf.Tensor): tf.Scalar =>
  tf.sum(
    tf.mul(
      y,
      tf.tensor(
        Float32Array.from({ length: y.size }, (_, i) => Math.cos(i)),
        y.shape,
      ),
    ),
  );

/** Gradients of all float32 inputs, for weights that differ from output to output; nothing where tfjs has no gradient. */
function gradient(given: Case): tf.Tensor[] {
  const inputs = given.inputs as Record<string, tf.Tensor>;
  const names = Object.keys(inputs).filter((name) => inputs[name]!.dtype === 'float32');
  if (tf.getGradient(given.kernel) === undefined || names.length === 0 || given.gradient === false) return [];
  const loss = (...values: tf.Tensor[]): tf.Scalar => {
    const entries = Object.entries(inputs).map(([name, input]): [string, tf.Tensor] => [name, values[names.indexOf(name)] ?? input]);
    const outputs = run(given, Array.isArray(inputs) ? entries.map(([, input]) => input) : Object.fromEntries(entries));
    const floats = outputs.filter(({ dtype }) => dtype === 'float32');
    return tf.sum(tf.stack([tf.scalar(0), ...floats.map(weigh)]));
  };
  return tf.grads(loss)(names.map((name) => inputs[name]!));
}

/** What a computation gives on a backend, or why it fails there. */
async function on(backend: string, compute: () => tf.Tensor[]): Promise<Result[] | Error> {
  await tf.setBackend(backend);
  try {
    return await read(tf.tidy(compute));
  } catch (error) {
    return error as Error;
  }
}

/** What is wrong, in words. */
async function compare(given: Case, compute: (given: Case) => tf.Tensor[]): Promise<string[]> {
  // Inputs move here in a first call.
  await on('wasm', () => compute(given));
  const before = tf.backend().numDataIds();
  const found = await on('wasm', () => compute(given));
  const left = tf.backend().numDataIds() - before;
  const wanted = await on('cpu', () => compute(given));
  // Some gradients of tfjs fail everywhere: they call methods that tensors of its core alone lack, or do not know of size 0.
  if (wanted instanceof Error) return [];
  if (found instanceof Error) return [found.message];
  const wrong = left === 0 ? [] : [`${left} buffers left`];
  found.forEach(({ shape, dtype, values }, i) => {
    const theirs = wanted[i]!;
    if (shape.join() !== theirs.shape.join()) wrong.push(`output ${i} has shape [${shape.join()}], expected [${theirs.shape.join()}]`);
    // cpu makes integers of a quotient of floats.
    if (dtype !== theirs.dtype && given.kernel !== 'FloorDiv') wrong.push(`output ${i} is ${dtype}, expected ${theirs.dtype}`);
    const differs = difference(values, theirs.values, given.tolerance ?? TOLERANCE);
    if (differs !== undefined) wrong.push(`output ${i}: ${differs}`);
  });
  return wrong;
}

describe.each([false, true])('with relaxed SIMD: %s', (relaxed) => {
  const cases = new Map<string, Case[]>();
  beforeAll(async () => {
    // Node 20 has it behind a flag, which this option sets.
    if (relaxed) wasm({ relaxedSimd: true });
    expect(wasmFeatures().relaxedSimd || !relaxed).toBe(true);
    standDown();
    standIn(relaxed);
    await tf.setBackend('cpu');
    cases.clear();
    for (const given of allCases()) cases.set(given.kernel, [...(cases.get(given.kernel) ?? []), given]);
  });
  afterAll(() => tf.setBackend('cpu'));

  test('every kernel has its cases', () => {
    const names = tf.getKernelsForBackend('wasm').map(({ kernelName }) => kernelName);
    expect(names.filter((name) => !cases.has(name) && !(name in elsewhere))).toEqual([]);
  });

  const kernels = tf.getKernelsForBackend('cpu').map(({ kernelName }) => kernelName);
  test.each(kernels)('%s', async (kernel) => {
    for (const given of cases.get(kernel) ?? []) {
      expect(await compare(given, forward), `forward, ${given.label}`).toEqual([]);
      expect(await compare(given, gradient), `gradient, ${given.label}`).toEqual([]);
    }
  });
});

test('kernels without a counterpart', async () => {
  standIn();
  await tf.setBackend('wasm');
  const [a, b] = [tf.tensor1d([0, 0, 1, 1], 'bool'), tf.tensor1d([0, 1, 0, 1], 'bool')];
  expect([...(await tf.logicalXor(a, b).data())]).toEqual([0, 1, 1, 0]);
  const drawn = await tf.multinomial(tf.tensor1d([0, 0, 1]), 50, 7, true).data();
  expect([...drawn].every((value) => value === 2)).toBe(true);
});
