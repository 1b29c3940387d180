// One step of an optimizer over many tensors, with gradients that are there already.
import { dispose, tensor, tidy, train, variable, type Optimizer, type Tensor, type Variable } from '@tensorflow/tfjs-core';
import { AdamP, AdamW, Lion, SGDP, SGDW } from '@evenkeel/optim';
import type { Arm } from '../harness/arm.ts';
import { normal } from '../harness/random.ts';
import { stock, switchTo } from '../norms/backends.ts';
import type { BackendName } from '../norms/cases.ts';
import { finishGpu, tfjsDevice } from '../norms/tfjs.ts';

export const TENSORS = 50;
const LEARNING_RATE = 1e-3;

/** Kernels of a dense layer, as near to square as may be. */
export function shapeOf(parameters: number): [number, number] {
  const size = parameters / TENSORS;
  let columns = Math.floor(Math.sqrt(size));
  while (size % columns !== 0) columns--;
  return [size / columns, columns];
}

interface Contestant {
  readonly make: () => Optimizer;
  /** Tensors of the size of the parameters that a step reads and writes at least. */
  readonly streams: number;
  readonly isPeer?: boolean;
}

export const CONTESTANTS = {
  'tfjs Adam': { make: () => train.adam(LEARNING_RATE, 0.9, 0.999, 1e-8), streams: 7, isPeer: true },
  Adam: { make: () => new AdamW({ learningRate: LEARNING_RATE }), streams: 7 },
  AdamP: { make: () => new AdamP({ learningRate: LEARNING_RATE, weightDecay: 0.01 }), streams: 10 },
  SGDW: { make: () => new SGDW({ learningRate: LEARNING_RATE, momentum: 0.9 }), streams: 5 },
  SGDP: { make: () => new SGDP({ learningRate: LEARNING_RATE, momentum: 0.9 }), streams: 7 },
  Lion: { make: () => new Lion({ learningRate: 1e-4 }), streams: 5 },
} as const satisfies Record<string, Contestant>;
export type ArmName = keyof typeof CONTESTANTS;

/** An arm that makes steps with the same gradients again and again. */
export async function stepsOf(
  name: ArmName,
  parameters: number,
  backend: BackendName,
): Promise<Arm & { readonly values: () => Promise<Float32Array> }> {
  const { make, ...rest }: Contestant = CONTESTANTS[name];
  const on = rest.isPeer === true ? stock(backend) : backend;
  await switchTo(on);
  const shape = shapeOf(parameters);
  const size = parameters / TENSORS;
  const values: Variable[] = [];
  const gradients: Tensor[] = [];
  for (let i = 0; i < TENSORS; i++) {
    values.push(tidy(() => variable(tensor(normal(size, i + 1), shape))));
    gradients.push(tensor(normal(size, 1000 + i), shape));
  }
  const optimizer = make();
  const named = values.map(({ name: key }, i) => ({ name: key, tensor: gradients[i]! }));
  return {
    name,
    enter: () => switchTo(on),
    run: () => optimizer.applyGradients(named),
    ...(backend === 'webgpu' && { finish: finishGpu }),
    values: async () => Float32Array.from(await values[0]!.data()),
    dispose: () => {
      optimizer.dispose();
      dispose([...values, ...gradients]);
    },
  };
}

/** Streams of the copy: what Adam reads and writes. */
export const COPIED_STREAMS = 7;

/** A copy that moves as many bytes as Adam must: half of them are read, half written, so that caches hold as little of them. */
export function copyOf(parameters: number, backend: BackendName): Arm {
  const size = (parameters * COPIED_STREAMS) / 2;
  if (backend === 'wasm') {
    const [source, target] = [normal(size, 1), new Float32Array(size)];
    return { name: 'copy', run: () => target.set(source) };
  }
  const device = tfjsDevice();
  const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST;
  const [source, target] = [device.createBuffer({ size: 4 * size, usage }), device.createBuffer({ size: 4 * size, usage })];
  return {
    name: 'copy',
    run: () => {
      const encoder = device.createCommandEncoder();
      encoder.copyBufferToBuffer(source, 0, target, 0, 4 * size);
      device.queue.submit([encoder.finish()]);
    },
    finish: () => device.queue.onSubmittedWorkDone(),
    dispose: () => {
      source.destroy();
      target.destroy();
    },
  };
}

/** After one step of Adam from zero state: w - rate g / (|g| + epsilon), in double precision. */
export function firstAdamStep(size: number): Float64Array {
  const [values, gradients] = [normal(size, 1), normal(size, 1000)];
  return Float64Array.from(values, (value, i) => value - (LEARNING_RATE * gradients[i]!) / (Math.abs(gradients[i]!) + 1e-8));
}
