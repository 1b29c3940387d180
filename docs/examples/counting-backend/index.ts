import { MathBackendCPU } from '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { backend, findOp, inspect, sizeOf, unregister, use, type KernelRunner, type Plugin, type WasmKernel } from '@evenkeel/core';
import { layerNorm } from '@evenkeel/norms';

/** What ran since the last reset. */
export const count = { flops: 0, bytes: 0 };

/** The operations of some work, which is then forgotten. */
function flopsOf(work: () => unknown): number {
  const { flops, bytes } = count;
  tf.tidy(() => void work());
  const found = count.flops - flops;
  Object.assign(count, { flops, bytes });
  return found;
}

function add(flops: number, inputs: readonly tf.TensorInfo[], outputs: readonly tf.TensorInfo[]): void {
  const read = new Set(inputs.map(({ dataId }) => dataId));
  // What shares memory with an input, as a reshape does, moves nothing.
  const made = outputs.filter(({ dataId }) => !read.has(dataId));
  if (made.length === 0) return;
  count.flops += flops;
  for (const { shape, dtype } of [...inputs, ...made]) count.bytes += sizeOf(shape) * (dtype === 'bool' ? 1 : 4);
}

/** Kernels of tfjs that only move values, and those that go through their whole input. */
const moves = /^(Cast|Concat|Fill|GatherV2|Identity|Pack|PadV2|Reverse|Slice|StridedSlice|Tile|Transpose|Unpack|ZerosLike|OnesLike)$/;
const reduces = /^(All|Any|ArgMax|ArgMin|Cumsum|Max|Mean|Min|Prod|Sum)$/;

/** Operations of one call of a kernel of tfjs: a product and a sum are two, any function of one element is one. */
function operations(
  name: string,
  inputs: Record<string, tf.TensorInfo>,
  attrs: Record<string, unknown>,
  [output]: tf.TensorInfo[],
): number {
  const size = sizeOf(output!.shape);
  const { a, x, filter } = inputs;
  if (moves.test(name)) return 0;
  if (reduces.test(name)) return sizeOf(x!.shape);
  if (a !== undefined && name.endsWith('MatMul')) return 2 * size * a.shape.at(attrs['transposeA'] === true ? -2 : -1)!;
  if (filter !== undefined && name === 'Conv2D') return (2 * size * sizeOf(filter.shape)) / filter.shape.at(-1)!;
  return size;
}

/** Ops that are made by `defineOp` register themselves, and take themselves out again. */
const isOurs = (kernelName: string): boolean => kernelName.includes('/');

/** All kernels that tfjs has for its cpu backend, for a backend of this name, counted. */
function countKernels(backendName: string): void {
  for (const { kernelName, kernelFunc } of tf.getKernelsForBackend('cpu')) {
    if (isOurs(kernelName)) continue;
    const counted: tf.KernelFunc = (call) => {
      const result = kernelFunc(call);
      const inputs = Object.values(call.inputs).flat() as tf.TensorInfo[];
      const outputs = Array.isArray(result) ? result : [result];
      add(operations(kernelName, call.inputs as Record<string, tf.TensorInfo>, call.attrs ?? {}, outputs), inputs, outputs);
      return result;
    };
    tf.registerKernel({ kernelName, backendName, kernelFunc: counted });
  }
}

/** Runs WASM kernels on a memory of their own: values in, calls, values out. */
const runner: KernelRunner = {
  backend: 'counting',
  kind: 'wasm',
  refuses: (kernel, call) => (kernel.kind === 'wasm' ? kernel.supports?.(call) : `not a wasm kernel but ${kernel.kind}`),
  run(name, kernel, inputs, call, instance) {
    const { binary, plan } = kernel as WasmKernel;
    const { calls, scratch = {} } = plan(call);
    const addresses: Record<string, number> = {};
    let end = 16;
    const place = (argument: string, bytes: number): void => {
      addresses[argument] = end;
      end += Math.ceil(bytes / 16) * 16;
    };
    for (const [argument, { shape }] of [...Object.entries(inputs), ...Object.entries(call.outputs)]) place(argument, 4 * sizeOf(shape));
    for (const [argument, bytes] of Object.entries(scratch)) place(argument, bytes);

    const memory = new WebAssembly.Memory({ initial: Math.ceil(end / 65536) });
    const module = new WebAssembly.Module(Uint8Array.from(atob(binary), (letter) => letter.charCodeAt(0)));
    const { exports } = new WebAssembly.Instance(module, { env: { memory } });
    const view = { float32: Float32Array, int32: Int32Array };
    const at = (argument: string, { shape, dtype }: { shape: readonly number[]; dtype: tf.DataType }) =>
      new view[dtype as 'float32'](memory.buffer, addresses[argument], sizeOf(shape));
    for (const [argument, input] of Object.entries(inputs)) at(argument, input).set(input.dataSync() as Float32Array);
    for (const { export: entry, args } of calls) {
      (exports[entry] as (...values: number[]) => void)(...args.map((arg) => (typeof arg === 'string' ? (addresses[arg] ?? 0) : arg)));
    }
    const outputs = Object.entries(call.outputs).map(([argument, spec]) =>
      (instance as MathBackendCPU).makeTensorInfo([...spec.shape], spec.dtype, at(argument, spec).slice()),
    );
    // A kernel does not say how much it computes. Its reference computes the same, in kernels that are counted.
    const { op } = inspect().ops.find((each) => each.op.endsWith(`/${name}`))!;
    add(
      flopsOf(() => findOp(op)!.definition.reference(inputs, call.attrs)),
      Object.values(inputs),
      outputs,
    );
    return outputs;
  },
};

/** The backend 'counting': tfjs' cpu backend, which counts operations and the bytes that it reads and writes. */
export function counting(): Plugin {
  const name = 'counting';
  const provider = {
    name,
    // 'auto' never takes what is not preferred.
    priority: -1,
    probe: async () => ({ available: true, preferred: false, detail: 'plain JavaScript, with counts' }),
    runner,
    register: async () => {
      if (tf.findBackendFactory(name)) return;
      tf.registerBackend(name, () => new MathBackendCPU());
      countKernels(name);
    },
    unregister: () => {
      for (const { kernelName } of tf.getKernelsForBackend(name)) if (!isOurs(kernelName)) tf.unregisterKernel(kernelName, name);
      if (tf.findBackendFactory(name)) tf.removeBackend(name);
    },
  };
  return { name: 'evenkeel-plugin-counting', version: '1.0.0', backends: [provider] };
}

/** What some work costs, in operations and bytes. */
function cost(work: () => tf.Tensor): { flops: number; bytes: number } {
  Object.assign(count, { flops: 0, bytes: 0 });
  tf.tidy(() => void work());
  return { ...count };
}

export async function main() {
  const before = tf.getBackend();
  const plugin = counting();
  use(plugin);
  await backend('counting');
  const [x, w, gamma, beta] = [tf.ones([64, 256]), tf.ones([256, 32]), tf.ones([256]), tf.zeros([256])];
  const costs = {
    product: cost(() => tf.matMul(x, w)), // 2 * 64 * 32 * 256 operations
    fused: cost(() => layerNorm(x, gamma, beta)), // reads x, gamma and beta once, writes y once
    composed: cost(() => {
      const { mean, variance } = tf.moments(x, -1, true);
      return tf.add(tf.mul(tf.div(tf.sub(x, mean), tf.sqrt(tf.add(variance, 1e-3))), gamma), beta);
    }),
  };
  tf.dispose([x, w, gamma, beta]);
  await backend(before);
  unregister(plugin);
  return costs;
}
