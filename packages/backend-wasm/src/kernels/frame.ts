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
import { allocate, locate } from '../memory.ts';
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

/** What a call made, freed at its end but for what it returns. Methods and not closures: a training step makes thousands of calls. */
class Call implements Frame {
  readonly heap: Heap;
  readonly #op: string;
  readonly #linked: Linked;
  readonly #made: TensorInfo[] = [];

  constructor(op: string, heap: Heap, linked: Linked) {
    this.#op = op;
    this.heap = heap;
    this.#linked = linked;
  }

  functions<Name extends string>(module: Module): Functions<Name> {
    return this.#linked(module) as Functions<Name>;
  }

  address(input: TensorInfo | undefined): number {
    return input === undefined ? 0 : locate(this.#op, this.heap, 'input', input);
  }

  output(shape: readonly number[], dtype: DataType = 'float32'): TensorInfo {
    allocate(this.#op, this.heap, 'output', shape, dtype, this.#made);
    return this.#made[this.#made.length - 1]!;
  }

  scratch(bytes: number): number {
    return allocate(this.#op, this.heap, 'scratch', [Math.ceil(bytes / 4)], 'int32', this.#made);
  }

  call(name: string, inputs: Record<string, TensorInfo>, attrs: NamedAttrMap = {}): TensorInfo {
    const { kernelFunc } = getKernel(name, 'wasm');
    const made = kernelFunc({ inputs: inputs as NamedTensorInfoMap, attrs, backend: this.heap }) as TensorInfo;
    this.#made.push(made);
    return made;
  }

  write(address: number, values: Float32Array | Float64Array | Int32Array): void {
    this.heap.wasm!.HEAPU8.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength), address);
  }

  read({ dataId }: TensorInfo): Float32Array | Int32Array | Uint8Array {
    return this.heap.readSync(dataId) as Float32Array | Int32Array | Uint8Array;
  }

  clear(address: number, bytes: number): void {
    this.heap.wasm!.HEAPU8.fill(0, address, address + bytes);
  }

  /** Frees all that was made, but for what is returned. */
  end(result: TensorInfo | TensorInfo[] | undefined): void {
    for (const made of this.#made) {
      const returned = Array.isArray(result) ? result.includes(made) : result === made;
      if (!returned) this.heap.disposeData(made.dataId);
    }
  }
}

type Linked = (module: Module) => Functions<string>;

/** Modules linked to a memory: the same objects again for the kernel's next call. */
function linker(op: string, relaxed: boolean): (memory: WebAssembly.Memory) => Linked {
  const linked = new WeakMap<WebAssembly.Memory, Linked>();
  return (memory) => {
    let link = linked.get(memory);
    if (link === undefined) {
      const found = new Map<Module, Functions<string>>();
      link = (module) => {
        let functions = found.get(module);
        if (functions === undefined) {
          functions = exportsOf(op, moduleOf((relaxed && module.relaxed) || module.simd), memory) as Functions<string>;
          found.set(module, functions);
        }
        return functions;
      };
      linked.set(memory, link);
    }
    return link;
  };
}

/** The configuration that takes the place of tfjs' own, which stays reachable for calls that ours does not serve. */
export function configure({ name, serves, run }: Standin, relaxed: boolean): KernelConfig {
  const original = getKernel(name, 'wasm');
  const linkedTo = linker(name, relaxed);
  return {
    kernelName: name,
    backendName: 'wasm',
    // tfjs' own prepares itself here when the backend starts.
    ...(original?.setupFunc && { setupFunc: original.setupFunc }),
    kernelFunc: ({ inputs, attrs = {}, backend }) => {
      const given = inputs as Record<string, TensorInfo>;
      const heap = backend as Heap;
      if (serves && !serves(given, attrs, heap)) {
        if (original) return original.kernelFunc({ inputs, attrs, backend });
        const found = Object.values(given).map(show).join(', ');
        throw new EvenkeelError('KERNEL', `there is no kernel on 'wasm' for ${found} and these options; expected float32 in NHWC`, {
          op: name,
        });
      }
      const frame = new Call(name, heap, linkedTo(memoryOf(name, heap)));
      let result: TensorInfo | TensorInfo[] | undefined;
      try {
        result = run(given, attrs, frame);
        return result;
      } catch (error) {
        if (isEvenkeelError(error)) throw error;
        throw new EvenkeelError('KERNEL', `the WASM kernel failed: ${(error as Error).message}`, { op: name, cause: error });
      } finally {
        frame.end(result);
      }
    },
  };
}
