// Runs WGSL kernels as if the device were another one: without subgroups, or with other bounds of their size. Compares with the references.
import { dispose, getBackend, setBackend, tensor, tidy, type Tensor } from '@tensorflow/tfjs-core';
import { inspect, resetInspection, sizeOf, unregister, use, type AnyOp, type DeviceInfo, type Kernel, type Plugin } from '@evenkeel/core';
import { noise } from './host.ts';

/** What to tell kernels in place of what the device says of itself. */
export type Pretence = (device: DeviceInfo) => DeviceInfo;

export const pretences: Readonly<Record<string, Pretence>> = {
  'its own subgroups': (device) => device,
  'no subgroups': (device) => ({ ...device, features: new Set(), subgroupMinSize: 0, subgroupMaxSize: 0 }),
  // The grid is then too large by far, and most teams have nothing to do.
  'subgroups of 4 to 128': (device) => ({ ...device, subgroupMinSize: 4, subgroupMaxSize: 128 }),
};

function pretending(ops: readonly AnyOp[], pretence: Pretence): Plugin {
  const kernels = ops.flatMap((op) =>
    (op.definition.kernels?.() ?? [])
      .filter((kernel) => kernel.kind === 'wgsl')
      .map((kernel): { op: AnyOp; kernel: Kernel } => ({
        op,
        kernel: { ...kernel, plan: (call, device) => kernel.plan(call, pretence(device)) },
      })),
  );
  return { name: '@test/pretence', version: '1.0.0', kernels };
}

/** Runs `work` while the kernels of these ops take the device for another. */
export async function onDevice<T>(ops: readonly AnyOp[], pretence: Pretence, work: () => Promise<T>): Promise<T> {
  const plugin = pretending(ops, pretence);
  use(plugin);
  try {
    return await work();
  } finally {
    unregister(plugin);
  }
}

/** Shapes of inputs by name, and attributes. */
export interface Case {
  readonly inputs: Readonly<Record<string, readonly number[]>>;
  readonly attrs?: Readonly<Record<string, unknown>>;
  /** Index into x of a value that is NaN. */
  readonly nan?: number;
}

/** The inputs of a case. Call it in a tidy. */
export function make({ inputs, nan }: Case): Record<string, Tensor> {
  const made = Object.entries(inputs).map(([name, shape], at) => {
    const values = noise(sizeOf(shape), at + 1);
    // Variances, deviations and mean squares are positive.
    if (/^(variances?|deviation|statistics)$|Phi$/.test(name)) values.forEach((value, i) => (values[i] = 1.5 + value));
    if (name === 'x' && nan !== undefined) values[nan] = Number.NaN;
    // 0, 1 and 2.
    if (name === 'labels')
      return [
        name,
        tensor(
          values.map((value) => Math.floor(1.5 * (value + 1))),
          [...shape],
          'int32',
        ),
      ];
    return [name, tensor(values, [...shape])];
  });
  return Object.fromEntries(made) as Record<string, Tensor>;
}

async function outputs(run: () => Tensor | Record<string, Tensor>): Promise<Record<string, Float32Array>> {
  const result = tidy(run);
  const tensors: Record<string, Tensor> = 'dataId' in result ? { y: result as Tensor } : (result as Record<string, Tensor>);
  const read: Record<string, Float32Array> = {};
  for (const [name, each] of Object.entries(tensors)) read[name] = (await each.data()).slice() as Float32Array;
  dispose(Object.values(tensors));
  return read;
}

function error(found: Float32Array, wanted: Float32Array): number {
  if (found.length !== wanted.length) return Number.POSITIVE_INFINITY;
  let worst = 0;
  for (let i = 0; i < wanted.length; i++) {
    if (Number.isNaN(wanted[i]) && Number.isNaN(found[i])) continue;
    const off = Math.abs(found[i]! - wanted[i]!) / (1 + Math.abs(wanted[i]!));
    if (!(off <= worst)) worst = Number.isNaN(off) ? Number.POSITIVE_INFINITY : off;
  }
  return worst;
}

/** The largest |a - b| / (1 + |b|) of an op's outputs on webgpu and of its reference's on cpu. NaN must stand where the reference has it. */
export async function disagreement(op: AnyOp, each: Case): Promise<number> {
  const attrs = { ...op.definition.attrs, ...each.attrs };
  await setBackend('cpu');
  const wanted = await outputs(() => op.definition.reference(make(each), attrs) as Tensor | Record<string, Tensor>);
  await setBackend('webgpu');
  resetInspection();
  const found = await outputs(() => op(make(each), each.attrs) as Tensor | Record<string, Tensor>);
  if (getBackend() !== 'webgpu' || inspect().calls.some(({ served }) => served !== 'kernel')) {
    throw new Error(`${op.id} was not served by a kernel: ${JSON.stringify(inspect().calls)}`);
  }
  return Math.max(...Object.entries(wanted).map(([name, values]) => error(found[name] ?? new Float32Array(), values)));
}
