import { defaultDevice, init, jit, numpy as np, vjp, type Device } from '@jax-js/jax';
import type { Arm } from '../harness/arm.ts';
import { EPSILON, NUM_GROUPS, parametersOf, TWINS, type BackendName, type Case, type OpName } from './cases.ts';
import { isOther } from './others.ts';

type Array = np.Array;

/** Arrays of jax-js are used up by an operation, unless passed as `.ref`. */
function standardize(x: Array, axes: number[], centre = true): Array {
  const centred = centre ? x.ref.sub(np.mean(x, axes, { keepdims: true })) : x;
  const variance = np.mean(centred.ref.mul(centred.ref), axes, { keepdims: true });
  return centred.div(np.sqrt(variance.add(EPSILON)));
}

function forward(op: OpName, shape: readonly number[]): (x: Array, gamma: Array, beta: Array) => Array {
  if (op === 'rmsNorm') {
    return (x, gamma, beta) => {
      beta.dispose();
      return standardize(x, [-1], false).mul(gamma);
    };
  }
  if (op === 'groupNorm') {
    const [samples = 1, channels = 1] = [shape[0], shape.at(-1)];
    return (x, gamma, beta) =>
      standardize(x.reshape([samples, -1, NUM_GROUPS, channels / NUM_GROUPS]), [1, 3])
        .reshape([...shape])
        .mul(gamma)
        .add(beta);
  }
  const axes = op === 'layerNorm' ? [-1] : shape.slice(0, -1).map((_, axis) => axis);
  return (x, gamma, beta) => standardize(x, axes).mul(gamma).add(beta);
}

/** jax-js, compiled by its `jit`, gradients by its `vjp`. */
export async function jax({ op, pass, shape, data }: Case, backend: BackendName): Promise<Arm | undefined> {
  if (TWINS[op] !== undefined || isOther(op)) return undefined;
  const device: Device = backend;
  // jax-js asks a browser's global, which Node 20 lacks.
  const navigator = ((globalThis as { navigator?: { userAgent?: string } }).navigator ??= {});
  navigator.userAgent ??= 'Node.js';
  if (!(await init(device)).includes(device)) return undefined;
  defaultDevice(device);

  const channels = [shape.at(-1)!];
  const x = np.array(data.x).reshape([...shape]);
  const dy = np.array(data.dy).reshape([...shape]);
  const gamma = np.array(data.gamma).reshape(channels);
  const beta = np.array(data.beta).reshape(channels);
  const inputs = [x, gamma, beta, dy];
  const f = forward(op, shape);
  const y = jit((...args: [Array, Array, Array]) => [f(...args)]);
  const gradients = jit((a: Array, b: Array, c: Array, d: Array) => {
    const [value, back] = vjp(f, [a, b, c]);
    value.dispose();
    const [dx, dgamma, dbeta] = back(d) as [Array, Array, Array];
    return parametersOf(op).includes('beta') ? [dx, dgamma, dbeta] : [dx, dgamma];
  });
  const compute = (): Array[] => (pass === 'forward' ? y(x.ref, gamma.ref, beta.ref) : gradients(x.ref, gamma.ref, beta.ref, dy.ref));
  const names = pass === 'forward' ? ['y'] : ['dx', 'dgamma', 'dbeta'];

  return {
    name: 'jax-js',
    note: `${device}, jit`,
    run: async () => {
      for (const result of compute()) {
        await result.blockUntilReady();
        result.dispose();
      }
    },
    read: async () => {
      const results = (await Promise.all(compute().map((result) => result.data()))) as Float32Array[];
      return Object.fromEntries(results.map((values: Float32Array, i: number) => [names[i]!, values]));
    },
    dispose: () => {
      y.dispose();
      gradients.dispose();
      for (const input of inputs) input.dispose();
    },
  };
}
