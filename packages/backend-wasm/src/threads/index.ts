// Large ops on several cores, over the heap of tfjs' 'wasm' backend. Nothing outside of this folder knows of threads, but for the option
// that asks for them: what it registers stands before the kernels of one thread, and leaves to those whatever is not large.
import { compileModule, moduleOf } from '../instances.ts';
import type { Frame, Standin } from '../kernels/frame.ts';
import { matMulModule } from '../kernels/mat-mul/gemm.ts';
import { memoryOf } from '../tfjs.ts';
import { FUNCTIONS, threadedProducts } from './mat-mul.ts';
import { startPool, type Pool } from './pool.ts';

export { withSharedHeap } from './shared-heap.ts';

const pools = new WeakMap<WebAssembly.Memory, Pool>();
const started = new Set<WeakRef<Pool>>();

/** Whether workers can see this memory. */
function isShared({ buffer }: WebAssembly.Memory): boolean {
  return typeof SharedArrayBuffer === 'function' && buffer instanceof SharedArrayBuffer;
}

/** The kernels that run large ops on `threads` threads. */
export function threadedStandins(threads: number, relaxed: boolean): readonly Standin[] {
  const poolOf = ({ heap }: Frame): Pool => {
    const memory = memoryOf('threads', heap);
    let pool = pools.get(memory);
    if (pool === undefined) {
      const binary = (relaxed && matMulModule.relaxed) || matMulModule.simd;
      pool = startPool(memory, [compileModule('threads', moduleOf(binary), true)], FUNCTIONS, threads);
      pools.set(memory, pool);
      started.add(new WeakRef(pool));
    }
    return pool;
  };
  return threadedProducts(poolOf).map((standin) => ({
    ...standin,
    serves: (inputs, attrs, heap) => isShared(memoryOf('threads', heap)) && standin.serves!(inputs, attrs, heap),
  }));
}

/** Ends all workers. */
export function stopThreads(): void {
  for (const pool of started) pool.deref()?.dispose();
  started.clear();
}
