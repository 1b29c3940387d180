// All that this package touches of tfjs and its 'wasm' backend beyond their documented interface.
import {
  engine,
  findBackend,
  util,
  type BackendValues,
  type DataId,
  type DataType,
  type KernelBackend,
  type TensorInfo,
} from '@tensorflow/tfjs-core';
import { EvenkeelError } from '@evenkeel/core';

/** The instance of the 'wasm' backend, as far as kernels need it. */
export interface Heap extends KernelBackend {
  wasm: {
    /** The plain and the SIMD build show their memory here, the threaded one there. */
    readonly asm?: { readonly memory?: WebAssembly.Memory };
    readonly wasmMemory?: WebAssembly.Memory;
    readonly HEAPU8: Uint8Array;
  } | null;
  readonly dataIdMap: {
    get(dataId: DataId): { readonly memoryOffset: number | null; readonly dtype: DataType; readonly shape: readonly number[] };
  };
  makeOutput(shape: readonly number[], dtype: DataType): TensorInfo;
}

/** 32-bit memory ends here. */
export const MOST_BYTES = 0xffff0000;

type Factory = () => KernelBackend | Promise<KernelBackend>;

const adopted = new WeakSet<object>();
/** tfjs' own factory, kept because tfjs forgets it with the backend and never registers it again. */
let factory: Factory | undefined;
const wrapped = new WeakSet<Factory>();

/** Starts the backend: calls `start`, in whatever circumstances it needs. */
export type Starter = (start: () => Promise<KernelBackend>) => Promise<KernelBackend>;
let starter: Starter = (start) => start();

/** From now on the backend is started by this. */
export function startBy(next: Starter): void {
  starter = next;
}

/**
 * Makes tensors outlive a backend without harm. tfjs frees what the removed instance held at once, and later trips over its own
 * null pointer when such a tensor is disposed, at the end of a `tidy` too.
 */
function adopt(backend: KernelBackend): KernelBackend {
  if (adopted.has(backend)) return backend;
  adopted.add(backend);
  refuseNowhere(backend as Heap);
  readComplex(backend as Heap);
  const dispose = backend.dispose.bind(backend);
  backend.dispose = () => {
    backend.disposeData = () => true;
    backend.incRef = () => undefined;
    backend.readSync = () => {
      throw new EvenkeelError('DISPOSED', "the tensor's values are gone: they lived on a 'wasm' backend that has been removed");
    };
    dispose();
  };
  return backend;
}

/**
 * Makes a tensor for which there is no room an error. tfjs' allocator says nothing where it fails, and the tensor would lie at address 0, over
 * whatever is there; of a tensor above 4 GiB it sees the lower 32 bits of its size.
 */
function refuseNowhere(heap: Heap): void {
  const move = heap.move.bind(heap);
  heap.move = (dataId, values, shape, dtype, refCount) => {
    const bytes = dtype === 'string' ? 0 : util.sizeFromShape(shape) * util.bytesPerElement(dtype);
    if (bytes <= MOST_BYTES) {
      // tfjs' kernels know a tensor's length from here: of complex numbers it is that of their parts.
      if (dtype === 'complex64') {
        move(dataId, values, [...shape, 2], 'float32', refCount);
        Object.assign(heap.dataIdMap.get(dataId), { shape, dtype });
      } else move(dataId, values, shape, dtype, refCount);
      if (bytes === 0 || addressOf(heap, dataId) !== 0) return;
      heap.disposeData(dataId, true);
    }
    throw new EvenkeelError(
      'OUT_OF_MEMORY',
      `no room on the WASM heap for a tensor [${shape.join(', ')}], ${bytes} bytes; dispose tensors (tf.tidy) or use smaller batches`,
    );
  };
}

/** Lets complex numbers be read: pairs of float32, real and imaginary part. */
function readComplex(heap: Heap): void {
  // tfjs' own kernels read parts of a tensor by two more arguments.
  const readSync = heap.readSync.bind(heap) as (dataId: object, ...range: unknown[]) => BackendValues;
  heap.readSync = (dataId: object, ...range: unknown[]) => {
    const { dtype, shape, memoryOffset } = heap.dataIdMap.get(dataId);
    if (dtype !== 'complex64') return readSync(dataId, ...range);
    return new Float32Array(heap.wasm!.HEAPU8.slice(memoryOffset!, memoryOffset! + util.sizeFromShape([...shape]) * 8).buffer);
  };
}

/** The memory of the running 'wasm' backend. */
export function memoryOf(op: string, backend: object): WebAssembly.Memory {
  const { wasm } = backend as Heap;
  const memory = wasm?.asm?.memory ?? wasm?.wasmMemory;
  if (memory === undefined) {
    throw new EvenkeelError(
      'BACKEND_UNAVAILABLE',
      "the 'wasm' backend does not show its memory; expected @tensorflow/tfjs-backend-wasm ^4.22.0",
      { op },
    );
  }
  adopt(backend as Heap);
  return memory;
}

/** The address of a tensor's values. Good until the tensor is disposed, also when the heap grows. */
export function addressOf(heap: Heap, dataId: DataId): number {
  return heap.dataIdMap.get(dataId).memoryOffset ?? 0;
}

/** The instance of the 'wasm' backend, if one has been started. */
export function runningHeap(): Heap | undefined {
  return (findBackend('wasm') as Heap | null) ?? undefined;
}

/** Whether tfjs has the 'wasm' backend under its name, started or not. */
export function isRegistered(): boolean {
  return 'wasm' in engine().registryFactory;
}

/** Notes tfjs' factory while it is there. */
export function keepFactory(): void {
  const entry = engine().registryFactory['wasm'];
  if (entry === undefined || wrapped.has(entry.factory)) return;
  const original = entry.factory;
  factory = async () => adopt(await starter(async () => original()));
  wrapped.add(factory);
  // In place: removing and registering it again would stop an initialization that is under way.
  entry.factory = factory;
  const running = 'wasm' in engine().registry ? engine().registry['wasm'] : undefined;
  if (running) adopt(running);
}

/** The factory that was noted, for registering anew. */
export function keptFactory(): Factory | undefined {
  return factory;
}
