// What every kernel that stands in for one of tfjs' own shares: addresses in, a tensor out, and nothing left behind when it fails.
import { getKernel, type DataType, type KernelConfig, type NamedAttrMap, type TensorInfo } from '@tensorflow/tfjs-core';
import { EvenkeelError, isEvenkeelError } from '@evenkeel/core';
import { exportsOf } from '../instances.ts';
import { allocate, locate, release } from '../memory.ts';
import { memoryOf, type Heap } from '../tfjs.ts';

/** One call of a kernel. */
export interface Frame {
  readonly heap: Heap;
  /** An input's address; 0 for one that is absent. */
  address(input: TensorInfo | undefined): number;
  /** A new tensor, which the kernel returns. */
  output(shape: readonly number[], dtype?: DataType): TensorInfo;
  /** Address of so many bytes, uninitialised, freed after the call. */
  scratch(bytes: number): number;
}

/** Exported functions of a WASM module. */
export type Functions<Name extends string> = Readonly<Record<Name, (...args: number[]) => number>>;

export interface Standin<Name extends string> {
  /** The tfjs kernel. */
  readonly name: string;
  /** The WASM binary in base64. */
  readonly binary: string;
  /** Whether ours serves the call; tfjs' own does where not. Default: always. */
  serves?(inputs: Record<string, TensorInfo>, attrs: NamedAttrMap): boolean;
  run(inputs: Record<string, TensorInfo>, attrs: NamedAttrMap, frame: Frame, functions: Functions<Name>): TensorInfo | TensorInfo[];
}

/** A stand-in whatever its functions are called. */
// oxlint-disable-next-line typescript/no-explicit-any -- the names are checked where each is written
export type AnyStandin = Standin<any>;

/** The configuration that takes the place of tfjs' own, which stays reachable for calls that ours does not serve. */
export function configure({ name, binary, serves, run }: AnyStandin): KernelConfig {
  const original = getKernel(name, 'wasm');
  const source = { kind: 'wasm' as const, binary, plan: () => ({ calls: [] }) };
  return {
    kernelName: name,
    backendName: 'wasm',
    // tfjs' own prepares itself here when the backend starts.
    ...(original?.setupFunc && { setupFunc: original.setupFunc }),
    kernelFunc: ({ inputs, attrs = {}, backend }) => {
      const given = inputs as Record<string, TensorInfo>;
      if (serves && !serves(given, attrs)) {
        if (original) return original.kernelFunc({ inputs, attrs, backend });
        throw new EvenkeelError(
          'DTYPE',
          `no kernel on 'wasm' for ${Object.values(given)
            .map(({ dtype }) => dtype)
            .join(', ')}`,
          { op: name },
        );
      }
      const heap = backend as Heap;
      const outputs: TensorInfo[] = [];
      const held: TensorInfo[] = [];
      const frame: Frame = {
        heap,
        address: (input) => (input === undefined ? 0 : locate(name, heap, 'input', input)),
        output: (shape, dtype = 'float32') => {
          allocate(name, heap, 'output', shape, dtype, outputs);
          return outputs.at(-1)!;
        },
        scratch: (bytes) => allocate(name, heap, 'scratch', [Math.ceil(bytes / 4)], 'int32', held),
      };
      try {
        return run(given, attrs, frame, exportsOf(name, source, memoryOf(name, heap)) as Functions<string>);
      } catch (error) {
        release(heap, outputs);
        if (isEvenkeelError(error)) throw error;
        throw new EvenkeelError('KERNEL', `the WASM kernel failed: ${(error as Error).message}`, { op: name, cause: error });
      } finally {
        release(heap, held);
      }
    },
  };
}
