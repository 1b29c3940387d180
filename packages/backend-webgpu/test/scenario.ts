// What must hold in Node, on a page and in a Worker alike: run there, compared by the tests.
import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import { backend, compile, EvenkeelError, inspect, raiseIf, resetInspection, use } from '@evenkeel/core';
import { counters, resetCounters, webgpu } from '../src/index.ts';
import { Mix, opOf, PLUS_ONE, SYNTAX, TwicePower, TYPE, variantOp } from './ops.ts';

const close = (a: ArrayLike<number>, b: ArrayLike<number>): boolean =>
  a.length === b.length && Array.from(a).every((value, i) => Math.abs(value - b[i]!) <= 1e-5 * (1 + Math.abs(b[i]!)));

async function message(run: () => unknown): Promise<string> {
  try {
    await run();
    return 'nothing was thrown';
  } catch (error) {
    return `${(error as EvenkeelError).code}: ${(error as Error).message}`;
  }
}

const chain = (x: tf.Tensor): tf.Tensor =>
  tf.tidy(() => {
    let y = x;
    for (let step = 0; step < 60; step++) {
      const { sum, difference } = Mix({ x: y, bias: x }, { scale: 0.5, offset: step % 3 });
      y = step % 4 === 0 ? tf.sub(tf.mul(sum, 0.5), difference) : tf.relu(tf.add(sum, step % 2));
      if (step % 5 === 0) y = tf.reshape(TwicePower({ x: tf.reshape(tf.tanh(y), [-1]) }), x.shape);
    }
    return y;
  });

/** tfjs' ops and ours by turns, in an order that shows if one of them runs too early. */
async function interleaved(): Promise<boolean> {
  const values = Float32Array.from({ length: 200 }, (_, i) => Math.sin(i));
  const x = tf.tensor(values, [10, 20]);
  const y = chain(x);
  const ours = await y.data();
  await tf.setBackend('cpu');
  const expected = await chain(tf.tensor(values, [10, 20])).data();
  await tf.setBackend('webgpu');
  return close(ours, expected);
}

async function errors(): Promise<Record<string, unknown>> {
  const x = tf.tensor1d([1, 2, 3]);
  const Bad = opOf('Bad', SYNTAX);
  const Worse = opOf('Worse', TYPE);
  const Good = opOf('Good', PLUS_ONE);
  const other = tf.mul(x, 3);
  const bad = Bad({ x }) as tf.Tensor;
  const good = Good({ x }) as tf.Tensor;
  const first = await message(() => good.data());
  const unhurt = [...(await good.data()), ...(await other.data())];
  const poisoned = await message(() => bad.data());
  const again = await message(() => bad.data());
  const later = await message(() => Bad({ x }));
  const Bad2 = opOf('Bad2', SYNTAX);
  const two = [Bad2({ x }) as tf.Tensor, Worse({ x }) as tf.Tensor];
  const both = await message(() => other.data());
  const second = await message(() => two[1]!.data());
  const compiled = await message(() => compile([opOf('Bad3', TYPE)]));
  const compiledBoth = await message(() => compile([opOf('Bad4', TYPE), opOf('Bad5', SYNTAX)]));
  const fine = await message(() => compile([Mix, TwicePower, Good]));
  const raised = new EvenkeelError('NON_FINITE', 'x is not finite', { op: 'Test' });
  const flag = tf.any(tf.isNaN(tf.tensor1d([1, Number.NaN])));
  raiseIf(flag, raised);
  const deferred = await message(() => good.data());
  const quiet = [...(await good.data())];
  return { first, unhurt, poisoned, again, later, both, second, compiled, compiledBoth, fine, deferred, quiet };
}

/** From another backend on first use; to another backend by way of `data()`. */
async function moved(): Promise<Record<string, unknown>> {
  await tf.setBackend('cpu');
  const there = tf.tensor1d([1, 2]);
  await tf.setBackend('webgpu');
  const here = opOf('Moved', PLUS_ONE)({ x: there }) as tf.Tensor;
  await here.data();
  await tf.setBackend('cpu');
  const back = [...tf.add(here, 1).dataSync()];
  await tf.setBackend('webgpu');
  const dataSync = await message(() => tf.add(there, 1).dataSync());
  return { back, dataSync };
}

async function large(): Promise<boolean> {
  // More workgroups than one dimension takes, and not a square number of them.
  const size = 70_001;
  const Large = opOf(
    'Large',
    `@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
@compute @workgroup_size(1) fn main(@builtin(workgroup_id) w: vec3u, @builtin(num_workgroups) n: vec3u) {
  let i = w.x + w.y * n.x;
  if (i < arrayLength(&y)) { y[i] = x[i] + 1; }
}`,
  );
  const y = (await (Large({ x: tf.range(0, size) }) as tf.Tensor).data()) as Float32Array;
  return y.length === size && y.every((value, i) => value === i + 1);
}

/** Everything above, on a backend of its own device. */
export async function scenario(): Promise<Record<string, unknown>> {
  use(webgpu({ allowSoftware: true }));
  const { name } = await backend('auto');
  tf.env().set('WEBGPU_CPU_FORWARD', false);
  resetInspection();
  const right = await interleaved();
  const served = inspect()
    .calls.filter((call) => call.backend === 'webgpu')
    .map(({ op, served: by }) => `${op} ${by}`);

  const x = tf.tensor2d([1, 2, 3, 4], [2, 2]);
  const aliased = Mix({ x, bias: x }, { scale: 2 });
  const alone = Mix({ x }, { offset: 1 });
  const values = [aliased.sum, aliased.difference, alone.sum, alone.difference].map((tensor) => tensor.data());
  const mixed = (await Promise.all(values)).map((data) => [...data]);

  const { numTensors } = tf.memory();
  const buffers = tf.engine().backend.numDataIds();
  tf.tidy(() => void TwicePower({ x: tf.tensor1d([1, 2, 3]) }));
  const left = [tf.memory().numTensors - numTensors, tf.engine().backend.numDataIds() - buffers];

  const { op: Variant, shaders } = variantOp();
  const [variant] = await (Variant({ x: tf.tensor1d([7]) }) as tf.Tensor).data();

  resetCounters();
  Mix({ x, bias: x });
  tf.add(x, x);
  const counted = counters();

  const timed = (await tf.time(() => TwicePower({ x: tf.ones([5000]) }))) as { kernelMs: number; getExtraProfileInfo(): string };
  const time = { positive: timed.kernelMs > 0, named: timed.getExtraProfileInfo().includes('TwicePower') };
  const observed = { name, right, served, mixed, left, variant, shaders, counted, time, moved: await moved() };
  return { ...observed, large: await large(), errors: await errors() };
}

/** A lost device, and a new one. Leaves the backend running. */
export async function loss(): Promise<Record<string, unknown>> {
  use(webgpu({ allowSoftware: true }));
  await backend('webgpu');
  const Good = opOf('GoodAfterLoss', PLUS_ONE);
  const x = tf.tensor1d([1, 2, 3]);
  const copied = Good({ x }) as tf.Tensor;
  const gone = Good({ x }) as tf.Tensor;
  await copied.data();
  const fresh = opOf('Fresh', PLUS_ONE)({ x }) as tf.Tensor;
  (tf.backend() as unknown as { device: GPUDevice }).device.destroy();
  // Its pipeline was being checked.
  const unchecked = await message(() => fresh.data());
  await new Promise((resolve) => setTimeout(resolve, 20));
  const call = await message(() => Good({ x }));
  const read = await message(() => gone.data());
  const composed = await message(() => tf.add(gone, 1).data());
  const survives = [...(await copied.data())];
  await backend('webgpu');
  const readAfter = await message(() => gone.data());
  const survivesAfter = [...(await copied.data())];
  const anew = [...(await (Good({ x: tf.tensor1d([4]) }) as tf.Tensor).data())];
  const moved = [...(await (Good({ x: copied }) as tf.Tensor).data())];
  tf.dispose([gone, copied, x]);
  return { call, read, composed, unchecked, survives, readAfter, survivesAfter, anew, moved };
}
