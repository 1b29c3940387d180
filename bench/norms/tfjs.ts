// What the arms that run on TensorFlow.js share.
import { backend, dispose, getBackend, grads, tensor, tidy, type Tensor } from '@tensorflow/tfjs-core';
import type { Arm, Outputs } from '../harness/arm.ts';
import { switchTo } from './backends.ts';
import { parametersOf, type Case } from './cases.ts';
import { isOther, OTHERS } from './others.ts';

export interface Inputs {
  readonly x: Tensor;
  readonly gamma: Tensor;
  readonly beta: Tensor;
  readonly dy: Tensor;
  /** What else a norm takes. */
  readonly [more: string]: Tensor;
}

interface WebGPU {
  ensureCommandEncoderReady(): void;
  endComputePassEncoder(): void;
  submitQueue(): void;
  readonly queue: GPUQueue;
}

/** The device of tfjs' running 'webgpu' backend. */
export function tfjsDevice(): GPUDevice {
  return (backend() as unknown as { device: GPUDevice }).device;
}

/** On webgpu, submits what tfjs has recorded and waits until the device is done; elsewhere nothing runs behind. */
export async function finishGpu(): Promise<void> {
  const gpu = backend() as unknown as WebGPU;
  gpu.ensureCommandEncoderReady();
  gpu.endComputePassEncoder();
  gpu.submitQueue();
  await gpu.queue.onSubmittedWorkDone();
}

async function values(tensors: Readonly<Record<string, Tensor>>): Promise<Outputs> {
  const read = await Promise.all(Object.entries(tensors).map(async ([name, each]) => [name, (await each.data()).slice()] as const));
  dispose(Object.values(tensors));
  return Object.fromEntries(read) as Outputs;
}

/**
 * An arm of a function on a tfjs backend. With `trainable`, gradients are taken with respect to x and those tensors, which
 * `forward` uses by itself (a layer's own variables); else with respect to x, gamma and beta, which it is given.
 */
export async function tfjsArm(
  name: string,
  { op, pass, shape, data }: Case,
  on: string,
  forward: (inputs: Inputs) => Tensor,
  { trainable, note, free }: { trainable?: readonly Tensor[]; note?: string; free?: () => void } = {},
): Promise<Arm> {
  await switchTo(on);
  const channels = [shape.at(-1)!];
  const inputs: Inputs = {
    ...(isOther(op) && OTHERS[op].more?.(shape)),
    x: tensor(data.x, [...shape]),
    gamma: tensor(data.gamma, channels),
    beta: tensor(data.beta, channels),
    dy: tensor(data.dy, [...shape]),
  };
  const wanted = parametersOf(op);
  const names = ['dx', ...wanted.map((each) => `d${each}`)];
  const parameters = trainable ?? wanted.map((each) => inputs[each]);
  const gradients = grads((x: Tensor, ...given: Tensor[]) =>
    forward(trainable ? { ...inputs, x } : { ...inputs, x, ...Object.fromEntries(wanted.map((each, i) => [each, given[i]!])) }),
  );

  const compute = (): Record<string, Tensor> => {
    if (pass === 'forward') return { y: tidy(() => forward(inputs)) };
    const found = gradients([inputs.x, ...parameters], inputs.dy);
    return Object.fromEntries(found.map((gradient, i) => [names[i]!, gradient]));
  };

  return {
    name,
    ...(note !== undefined && { note }),
    enter: () => switchTo(on),
    run: () => dispose(compute()),
    ...(getBackend() === 'webgpu' && { finish: finishGpu }),
    read: () => values(compute()),
    dispose: () => {
      dispose(Object.values(inputs));
      free?.();
    },
  };
}
