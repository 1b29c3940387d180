// From the values of a case to tensors, and back.
import { dispose, tensor, tidy, type Tensor } from '@tensorflow/tfjs-core';
import { isTensor, type OracleTensor, type Result, type Value } from './adapter.ts';

/** A value of a case as a float32 tensor. */
export function toTensor(value: Value): Tensor {
  if (isTensor(value)) return tensor(Float32Array.from(value.data), [...value.shape], 'float32');
  throw new Error('expected a tensor in the inputs');
}

/** All inputs of a case that consists of tensors. */
export function toTensors(inputs: Readonly<Record<string, Value>>): Record<string, Tensor> {
  return Object.fromEntries(Object.entries(inputs).map(([name, value]) => [name, toTensor(value)]));
}

/** Computes and reads outputs and gradients, and leaves no tensor behind. */
export async function readAll(compute: () => { outputs: Record<string, Tensor>; grads?: Record<string, Tensor> }): Promise<Result> {
  const { outputs, grads = {} } = tidy(compute);
  try {
    return { outputs: await read(outputs), grads: await read(grads) };
  } finally {
    dispose([outputs, grads]);
  }
}

async function read(tensors: Record<string, Tensor>): Promise<Record<string, OracleTensor>> {
  const entries: [string, OracleTensor][] = [];
  for (const [name, each] of Object.entries(tensors))
    entries.push([name, { shape: each.shape, data: Float64Array.from(await each.data()) }]);
  return Object.fromEntries(entries);
}
