// Counts what a WebGPU device is asked to do, whoever asks: tfjs' own ops, ours, and other libraries in this process.

export interface GpuWork {
  readonly dispatches: number;
  /**
   * Bytes of the storage bindings of all dispatches, each binding once a dispatch. A lower bound of the traffic of a kernel that reads and
   * writes all it is bound to.
   */
  readonly bytes: number;
}

interface Recorder {
  setBindGroup(index: number, group: GPUBindGroup | null | undefined, ...rest: unknown[]): void;
  dispatchWorkgroups(...count: number[]): void;
  dispatchWorkgroupsIndirect(buffer: GPUBuffer, offset: number): void;
}

/** The methods that devices and passes of this implementation share. */
interface Methods {
  readonly device: Pick<GPUDevice, 'createBindGroup'>;
  readonly pass: Recorder;
}

function methods(device: GPUDevice): Methods {
  const encoder = device.createCommandEncoder();
  const pass = encoder.beginComputePass();
  pass.end();
  encoder.finish();
  return { device: Object.getPrototypeOf(device) as Methods['device'], pass: Object.getPrototypeOf(pass) as Recorder };
}

/** Whether the buffer holds data rather than parameters. */
function storageBytes({ resource }: GPUBindGroupEntry): number {
  const binding = resource as Partial<GPUBufferBinding> & Partial<GPUBuffer>;
  const buffer = binding.buffer ?? (binding.usage === undefined ? undefined : (binding as GPUBuffer));
  if (buffer === undefined || (buffer.usage & GPUBufferUsage.STORAGE) === 0) return 0;
  return binding.buffer === undefined ? buffer.size : (binding.size ?? buffer.size - (binding.offset ?? 0));
}

/** Watches all devices of the kind that `device` is. Call `work` for what was recorded so far. */
export function countGpuWork(device: GPUDevice): { work(): GpuWork } {
  const shared = methods(device);
  const groupBytes = new WeakMap<object, number>();
  const bound = new WeakMap<object, Map<number, number>>();
  let dispatches = 0;
  let bytes = 0;

  const { createBindGroup } = shared.device;
  shared.device.createBindGroup = function (this: GPUDevice, descriptor) {
    const group = createBindGroup.call(this, descriptor);
    groupBytes.set(
      group,
      [...descriptor.entries].reduce((sum, entry) => sum + storageBytes(entry), 0),
    );
    return group;
  };

  const { setBindGroup, dispatchWorkgroups, dispatchWorkgroupsIndirect } = shared.pass;
  shared.pass.setBindGroup = function (index, group, ...rest) {
    let groups = bound.get(this);
    if (groups === undefined) bound.set(this, (groups = new Map()));
    groups.set(index, group ? (groupBytes.get(group) ?? 0) : 0);
    setBindGroup.call(this, index, group, ...rest);
  };
  const count = (pass: Recorder): void => {
    dispatches++;
    for (const each of bound.get(pass)?.values() ?? []) bytes += each;
  };
  shared.pass.dispatchWorkgroups = function (...counts) {
    count(this);
    dispatchWorkgroups.apply(this, counts);
  };
  shared.pass.dispatchWorkgroupsIndirect = function (buffer, offset) {
    count(this);
    dispatchWorkgroupsIndirect.call(this, buffer, offset);
  };

  return { work: () => ({ dispatches, bytes }) };
}
