// What every kernel that stands in for one of tfjs' own shares: addresses in, a tensor out, and nothing left behind when it fails.
import {
  getKernel,
  type DataType,
  type KernelConfig,
  type NamedAttrMap,
  type NamedTensorInfoMap,
  type TensorInfo,
} from '@tensorflow/tfjs-core';
import { EvenkeelError, isEvenkeelError, show } from '@evenkeel/core';
import { exportsOf, moduleOf } from '../instances.ts';
import { allocate, locate, release } from '../memory.ts';
import { memoryOf, type Heap } from '../tfjs.ts';

/** Exported functions of a WASM module. */
export type Functions<Name extends string> = Readonly<Record<Name, (...args: number[]) => number>>;

/** A module's binaries, in base64. */
export interface Module {
  readonly simd: string;
  /** With fused multiply-add, for engines that have relaxed SIMD. */
  readonly relaxed?: string;
}

/** One call of a kernel. */
export interface Frame {
  readonly heap: Heap;
  /** The functions of a WASM module. */
  functions<Name extends string>(module: Module): Functions<Name>;
  /** An input's address; 0 for one that is absent. */
  address(input: TensorInfo | undefined): number;
  /** A new tensor, for the kernel to return; freed after the call if it does not. */
  output(shape: readonly number[], dtype?: DataType): TensorInfo;
  /** Address of so many bytes, uninitialised, freed after the call. */
  scratch(bytes: number): number;
  /** What another kernel of this backend makes of these: freed after the call, unless this kernel returns it. */
  call(name: string, inputs: Record<string, TensorInfo>, attrs?: NamedAttrMap): TensorInfo;
  /** Copies values from the host to an address. */
  write(address: number, values: Float32Array | Float64Array | Int32Array): void;
  /** Copies values to the host. */
  read(tensor: TensorInfo): Float32Array | Int32Array | Uint8Array;
  /** Sets so many bytes to zero. */
  clear(address: number, bytes: number): void;
}

export interface Standin {
  /** The tfjs kernel. */
  readonly name: string;
  /** Whether ours serves the call; tfjs' own does where not. Default: always. */
  serves?(inputs: Record<string, TensorInfo>, attrs: NamedAttrMap, heap: Heap): boolean;
  run(inputs: Record<string, TensorInfo>, attrs: NamedAttrMap, frame: Frame): TensorInfo | TensorInfo[];
}

/** The configuration that takes the place of tfjs' own, which stays reachable for calls that ours does not serve. */
export function configure({ name, serves, run }: Standin, relaxed: boolean): KernelConfig {
  const original = getKernel(name, 'wasm');
  return {
    kernelName: name,
    backendName: 'wasm',
    // tfjs' own prepares itself here when the backend starts.
    ...(original?.setupFunc && { setupFunc: original.setupFunc }),
    kernelFunc: ({ inputs, attrs = {}, backend }) => {
      const given = inputs as Record<string, TensorInfo>;
      if (serves && !serves(given, attrs, backend as Heap)) {
        if (original) return original.kernelFunc({ inputs, attrs, backend });
        const found = Object.values(given).map(show).join(', ');
        throw new EvenkeelError('KERNEL', `there is no kernel on 'wasm' for ${found} and these options; expected float32 in NHWC`, {
          op: name,
        });
      }
      const heap = backend as Heap;
      const memory = memoryOf(name, heap);
      const outputs: TensorInfo[] = [];
      const held: TensorInfo[] = [];
      const frame: Frame = {
        heap,
        functions: <Name extends string>(module: Module) =>
          exportsOf(name, moduleOf((relaxed && module.relaxed) || module.simd), memory) as Functions<Name>,
        address: (input) => (input === undefined ? 0 : locate(name, heap, 'input', input)),
        output: (shape, dtype = 'float32') => {
          allocate(name, heap, 'output', shape, dtype, outputs);
          return outputs.at(-1)!;
        },
        scratch: (bytes) => allocate(name, heap, 'scratch', [Math.ceil(bytes / 4)], 'int32', held),
        call: (kernel, others, options = {}) => {
          const made = getKernel(kernel, 'wasm').kernelFunc({
            inputs: others as NamedTensorInfoMap,
            attrs: options,
            backend,
          }) as TensorInfo;
          held.push(made);
          return made;
        },
        write: (address, values) => heap.wasm!.HEAPU8.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength), address),
        read: ({ dataId }) => heap.readSync(dataId) as Float32Array | Int32Array | Uint8Array,
        clear: (address, bytes) => void heap.wasm!.HEAPU8.fill(0, address, address + bytes),
      };
      try {
        const result = run(given, attrs, frame);
        for (const each of [result].flat()) {
          for (const list of [held, outputs]) {
            const at = list.indexOf(each);
            if (at >= 0) list.splice(at, 1);
          }
        }
        return result;
      } catch (error) {
        if (isEvenkeelError(error)) throw error;
        throw new EvenkeelError('KERNEL', `the WASM kernel failed: ${(error as Error).message}`, { op: name, cause: error });
      } finally {
        // All but what is returned.
        release(heap, outputs);
        release(heap, held);
      }
    },
  };
}
