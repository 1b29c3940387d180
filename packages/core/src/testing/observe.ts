import { engine, memory, slice, type Tensor } from '@tensorflow/tfjs-core';
import { identical } from './compare.ts';
import type { Call, Tensors } from './gradients.ts';
import { isEmpty, read, readDevice, upload, uploadAll, type HostTensor, type HostTensors } from './host.ts';

/** What tfjs and the running backend hold. */
export interface Held {
  readonly tensors: number;
  readonly buffers: number;
}

export function held(): Held {
  return { tensors: memory().numTensors, buffers: engine().backend.numDataIds() };
}

/** What has been left behind since `before`, in words. */
export function leftBehind(what: string, before: Held): string | undefined {
  const now = held();
  const [tensors, buffers] = [now.tensors - before.tensors, now.buffers - before.buffers];
  if (tensors === 0 && buffers === 0) return undefined;
  return `${what} leaves ${tensors} tensors and ${buffers} buffers of the backend behind`;
}

/** One call, looked at from outside. */
export interface Observation {
  readonly outputs: HostTensors;
  /** Outputs that share memory with an input or with each other. */
  readonly aliases: string | undefined;
  /** Inputs that the call wrote to. */
  readonly changed: string | undefined;
  readonly leak: string | undefined;
}

/** Outputs that die with an input or another output. To share memory is fine where tfjs counts it, as for `clone` and `reshape`. */
function findAliases(inputs: Tensors, outputs: Tensors): string | undefined {
  const all = [
    ...Object.entries(inputs).map(([name, tensor]) => ({ name: `input ${name}`, tensor, output: false })),
    ...Object.entries(outputs).map(([name, tensor]) => ({ name: `output ${name}`, tensor, output: true })),
  ];
  const found: string[] = [];
  all.forEach(({ name, tensor, output }, i) => {
    const sharing = all.slice(0, i).filter((other) => other.tensor.dataId === tensor.dataId);
    if (!output || sharing.length === 0) return;
    if (sharing.some((other) => other.tensor === tensor)) found.push(`${name} is ${sharing[0]!.name} itself`);
    else if (engine().backend.refCount(tensor.dataId) <= sharing.length) found.push(`${name} shares the memory of ${sharing[0]!.name}`);
  });
  return found.length === 0 ? undefined : found.join('; ');
}

async function findChanged(inputs: HostTensors, tensors: Tensors): Promise<string | undefined> {
  const changed: string[] = [];
  for (const [name, tensor] of Object.entries(tensors)) {
    if (isEmpty(inputs[name]!)) continue;
    if (!identical(await readDevice(tensor), inputs[name]!)) changed.push(name);
  }
  return changed.length === 0 ? undefined : `the call writes to its input ${changed.join(', ')}`;
}

/** Calls the op with uploaded inputs and looks at what it did. */
export async function observe(call: Call, inputs: HostTensors): Promise<Observation> {
  const tensors = uploadAll(inputs);
  const all = new Set<Tensor>(Object.values(tensors));
  try {
    const before = held();
    const results = call(tensors);
    const aliases = findAliases(tensors, results);
    const outputs: HostTensors = {};
    for (const [name, result] of Object.entries(results)) outputs[name] = await read(result);
    const changed = await findChanged(inputs, tensors);
    for (const result of new Set(Object.values(results))) if (!all.has(result)) result.dispose();
    // Where memory is shared, what is freed when is anybody's guess.
    const leak = aliases === undefined ? leftBehind('a call', before) : undefined;
    return { outputs, aliases, changed, leak };
  } finally {
    for (const tensor of all) if (!tensor.isDisposed) tensor.dispose();
  }
}

/** The tensor as a slice of a larger one, as they come from splits and batches. */
function uploadSlice(host: HostTensor): Tensor {
  const { shape, dtype, values } = host;
  if (shape.length === 0 || isEmpty(host)) return upload(host);
  const row = values.length / shape[0]!;
  const padded = new (values.constructor as Float32ArrayConstructor)(values.length + 2 * row).fill(1);
  padded.set(values as Float32Array, row);
  const larger = upload({ shape: [shape[0]! + 2, ...shape.slice(1)], dtype, values: padded });
  const part = slice(larger, [1, ...shape.slice(1).map(() => 0)], shape);
  larger.dispose();
  return part;
}

/** Outputs of a call whose inputs are slices. */
export async function callOnSlices(call: Call, inputs: HostTensors): Promise<HostTensors> {
  const tensors = Object.fromEntries(Object.entries(inputs).map(([name, host]) => [name, uploadSlice(host)]));
  const all = new Set<Tensor>(Object.values(tensors));
  try {
    const results = call(tensors);
    const outputs: HostTensors = {};
    for (const [name, result] of Object.entries(results)) {
      outputs[name] = await read(result);
      all.add(result);
    }
    return outputs;
  } finally {
    for (const tensor of all) if (!tensor.isDisposed) tensor.dispose();
  }
}
