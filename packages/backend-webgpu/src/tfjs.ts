// All that this package touches of tfjs and its 'webgpu' backend beyond their documented interface.
import { engine, env, getKernel, type DataId, type DataType, type KernelBackend, type TensorInfo } from '@tensorflow/tfjs-core';

interface TensorData {
  /** The CPU's copy: what was not uploaded yet, or was read back. */
  values: unknown;
  dtype: DataType;
  resource?: GPUBuffer | null;
}

/** The instance of tfjs' 'webgpu' backend, as far as kernels need it. */
export interface GPUBackend extends KernelBackend {
  readonly device: GPUDevice;
  readonly queue: GPUQueue;
  readonly adapterInfo?: { readonly vendor?: string; readonly architecture?: string };
  readonly bufferManager: { acquireBuffer(size: number, usage: number): GPUBuffer };
  readonly tensorMap: { get(dataId: DataId): TensorData; has(dataId: DataId): boolean };
  activeTimers: { name: string; query: Promise<number> }[] | null | undefined;
  commandEncoder: GPUCommandEncoder | null;
  computePassEncoder: GPUComputePassEncoder | null;
  commandQueueOwnedIds: WeakSet<DataId>;
  dispatchCountInPass: number;
  uniformPendingDisposal: GPUBuffer[];
  readonly supportTimestampQuery: boolean;
  querySet: GPUQuerySet | null;
  readonly querySetCount: number;
  ensureCommandEncoderReady(): void;
  endComputePassEncoder(): void;
  submitQueue(): void;
  uploadToGPU(dataId: DataId): void;
  makeTensorInfo(shape: readonly number[], dtype: DataType): TensorInfo;
  getQueryTime(): Promise<number>;
  recordAndSubmit(program: object, output: TensorInfo, inputs: TensorInfo[], uniforms: unknown): void;
}

/** What the class of the backend must show for this package to drive it. */
const REQUIRED = ['ensureCommandEncoderReady', 'endComputePassEncoder', 'submitQueue', 'uploadToGPU', 'getQueryTime'] as const;

/** Whether the object is a 'webgpu' backend that this package knows to drive. */
export function isGPUBackend(backend: unknown): backend is GPUBackend {
  const candidate = backend as Partial<GPUBackend> | null | undefined;
  return !!candidate?.device && REQUIRED.every((method) => typeof candidate[method] === 'function');
}

/** The running instance that tfjs holds under 'webgpu', whether or not it is the current backend. */
export function runningBackend(): GPUBackend | undefined {
  const backend: unknown = engine().registry['webgpu'];
  return isGPUBackend(backend) ? backend : undefined;
}

/** The tensor's buffer, uploaded or allocated if it had none. Call it for all tensors of a call before encoding: uploads are commands too. */
export function bufferOf(backend: GPUBackend, { dataId }: TensorInfo): GPUBuffer {
  // `get` also moves a tensor here from another backend.
  const data = backend.tensorMap.get(dataId);
  backend.uploadToGPU(dataId);
  return data.resource as GPUBuffer;
}

/**
 * The tensor with its numbers stored as its dtype says, a new one where they were not: tfjs' `cast` from int32 or bool to float32 renames the
 * type and leaves the integers in the buffer, which tfjs' own shaders then convert each time they read.
 */
export function storedAsDeclared(backend: GPUBackend, tensor: TensorInfo): TensorInfo {
  if (tensor.dtype !== 'float32' || backend.tensorMap.get(tensor.dataId).dtype === 'float32') return tensor;
  const one = backend.makeTensorInfo([], 'float32');
  backend.tensorMap.get(one.dataId).values = new Float32Array([1]);
  const multiply = getKernel('Multiply', 'webgpu');
  const converted = multiply.kernelFunc({ inputs: { a: tensor, b: one }, attrs: undefined as never, backend }) as TensorInfo;
  backend.disposeData(one.dataId);
  return converted;
}

/** Whether the tensor's values can be had without the GPU. */
export function hasCopy(backend: GPUBackend, dataId: DataId): boolean {
  if (!backend.tensorMap.has(dataId)) return true;
  const { values, dtype } = backend.tensorMap.get(dataId);
  return (values !== null && values !== undefined) || dtype === 'string';
}

/** Whether the tensor consists of two others, which are read in its place. */
export function isComplex(backend: GPUBackend, dataId: DataId): boolean {
  return backend.tensorMap.has(dataId) && backend.tensorMap.get(dataId).dtype === 'complex64';
}

/** Makes the next read go to the GPU again. */
export function dropCopy(backend: GPUBackend, dataId: DataId): void {
  if (backend.tensorMap.has(dataId)) backend.tensorMap.get(dataId).values = null;
}

/** A buffer that holds a dispatch's uniforms; tfjs takes it back after the submit. */
export function uniformBuffer(backend: GPUBackend, data: ArrayBuffer): GPUBuffer {
  const buffer = backend.bufferManager.acquireBuffer(data.byteLength, GPUBufferUsage.COPY_DST | GPUBufferUsage.UNIFORM);
  backend.queue.writeBuffer(buffer, 0, data);
  backend.uniformPendingDisposal.push(buffer);
  return buffer;
}

/** Submits what tfjs has recorded so far. */
export function flush(backend: GPUBackend): void {
  if (!backend.commandEncoder) return;
  backend.endComputePassEncoder();
  backend.submitQueue();
}

/** One dispatch, ready to be recorded. */
export interface Command {
  readonly pipeline: GPUComputePipeline;
  readonly group: GPUBindGroup;
  readonly workgroups: readonly [x: number, y: number, z: number];
}

/**
 * Records dispatches in tfjs' own pass, so that they keep their place among its ops: a command buffer for each would cost and gain nothing.
 * Under `tf.time` they get a pass of their own with timestamps, under the op's name. With `alone` they are submitted at once.
 */
export function record(backend: GPUBackend, op: string, tensors: Iterable<TensorInfo>, commands: readonly Command[], alone: boolean): void {
  const timed = backend.activeTimers !== null && backend.activeTimers !== undefined;
  backend.ensureCommandEncoderReady();
  if (timed && backend.supportTimestampQuery) {
    backend.endComputePassEncoder();
    const querySet = (backend.querySet ??= backend.device.createQuerySet({ type: 'timestamp', count: backend.querySetCount }));
    const timestampWrites = { querySet, beginningOfPassWriteIndex: 0, endOfPassWriteIndex: 1 };
    backend.computePassEncoder = backend.commandEncoder!.beginComputePass({ timestampWrites });
  }
  const pass = (backend.computePassEncoder ??= backend.commandEncoder!.beginComputePass());
  for (const { pipeline, group, workgroups } of commands) {
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, group);
    pass.dispatchWorkgroups(...workgroups);
  }
  // Keeps their memory until what is recorded now has been submitted.
  for (const { dataId } of tensors) backend.commandQueueOwnedIds.add(dataId);
  backend.dispatchCountInPass += commands.length;
  if (timed) {
    backend.endComputePassEncoder();
    // With timestamps, this also submits.
    backend.activeTimers!.push({ name: op, query: backend.getQueryTime() });
    if (alone) flush(backend);
  } else if (alone || env().getNumber('WEBGPU_DEFERRED_SUBMIT_BATCH_SIZE') <= backend.dispatchCountInPass) {
    backend.endComputePassEncoder();
    backend.submitQueue();
  }
}

/** Calls `listener` with the bytes that each of tfjs' own dispatches reads and writes. */
export function onDispatch(backend: GPUBackend, listener: (bytesRead: number, bytesWritten: number) => void): void {
  const size = ({ dataId }: TensorInfo): number => backend.tensorMap.get(dataId).resource?.size ?? 0;
  const recordAndSubmit = backend.recordAndSubmit.bind(backend);
  backend.recordAndSubmit = (program, output, inputs, uniforms) => {
    listener(
      inputs.reduce((sum, input) => sum + size(input), 0),
      size(output),
    );
    recordAndSubmit(program, output, inputs, uniforms);
  };
}
