// What tfjs itself takes of a step: the same calls of kernels that compute nothing.
import { getBackend, getKernelsForBackend, type KernelConfig, type TensorInfo } from '@tensorflow/tfjs-core';

interface Heap {
  makeOutput(shape: readonly number[], dtype: TensorInfo['dtype']): TensorInfo;
}

export interface Bookkeeping {
  /** Calls of kernels in a step. */
  readonly calls: number;
  /** Milliseconds of the quickest step. */
  readonly best: number;
}

/** Runs a step on the engine that is set, then `times` times with kernels that only allocate their outputs. The model is spoilt by it. */
export function bookkeeping(step: () => void, times = 30): Bookkeeping {
  // The optimizer makes its moments in the first step.
  step();
  const kernels = getKernelsForBackend(getBackend()) as { -readonly [Key in keyof KernelConfig]: KernelConfig[Key] }[];
  const originals = kernels.map(({ kernelFunc }) => kernelFunc);
  const calls: (TensorInfo | TensorInfo[])[] = [];
  let depth = 0;
  let next: number | undefined;
  kernels.forEach((kernel, i) => {
    kernel.kernelFunc = (call) => {
      if (next !== undefined) {
        const made = calls[next++]!;
        const again = ({ shape, dtype }: TensorInfo): TensorInfo => (call.backend as Heap).makeOutput(shape, dtype);
        return Array.isArray(made) ? made.map(again) : again(made);
      }
      depth++;
      const made = originals[i]!(call);
      // Kernels call kernels; tfjs sees the outermost.
      if (--depth === 0) calls.push(made);
      return made;
    };
  });
  try {
    step();
    const found = Array.from({ length: times }, () => {
      next = 0;
      const start = performance.now();
      step();
      const elapsed = performance.now() - start;
      if (next !== calls.length) throw new Error(`a step made ${next} calls, the one before ${calls.length}`);
      return elapsed;
    });
    return { calls: calls.length, best: Math.min(...found) };
  } finally {
    kernels.forEach((kernel, i) => (kernel.kernelFunc = originals[i]!));
  }
}
