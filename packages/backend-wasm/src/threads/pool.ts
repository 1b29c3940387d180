import { EvenkeelError } from '@evenkeel/core';
import {
  ACTIVE,
  ARGUMENTS,
  CALLS_AT,
  CHUNKS,
  CONTROL_BYTES,
  FAILED,
  FUNCTION,
  GENERATION,
  HELPED,
  MODULE,
  NEXT,
  ROOM,
  SCRATCH_BYTES,
  SCRATCH_MASK,
  STOP,
  WORKER,
} from './control.ts';

/** Milliseconds that a worker waits awake for the next job: the gap between two ops of a training step, and no more of a laptop's battery. */
const SPIN = 1.5;

/** One function called once for each chunk, by whoever is free. */
export interface Job {
  /** Of those that the pool was made with. */
  readonly module: number;
  readonly function: number;
  /** The arguments of each chunk's call, all of one length. */
  readonly calls: readonly (readonly number[])[];
  /** Positions of arguments that point to scratch, and the bytes that each thread has of it. */
  readonly scratch: { readonly positions: readonly number[]; readonly bytes: number };
}

export interface Pool {
  /** Threads, the caller's included. */
  readonly threads: number;
  /** Runs all calls and returns when they are done. */
  run(op: string, job: Job): void;
  /** Chunks that workers have run, rather than the caller, since the start. */
  helped(): number;
  dispose(): void;
}

interface Worker {
  unref?(): void;
  terminate(): unknown;
}

interface NodeWorkers {
  readonly Worker: new (code: string, options: { eval: true; workerData: unknown }) => Worker;
}

/** A worker that runs the text above on `data`; where it cannot start, the caller does all the work. */
function startWorker(data: unknown): Worker {
  const node = (globalThis.process as Partial<NodeJS.Process> | undefined)?.getBuiltinModule?.('node:worker_threads') as
    | NodeWorkers
    | undefined;
  if (node) {
    const worker = new node.Worker(`${WORKER}serve(require('node:worker_threads').workerData);`, { eval: true, workerData: data });
    // A program may end while its workers sleep.
    worker.unref?.();
    return worker;
  }
  const url = URL.createObjectURL(new Blob([`${WORKER}onmessage = ({ data }) => serve(data);`], { type: 'text/javascript' }));
  const worker = new globalThis.Worker(url);
  worker.postMessage(data, []);
  return worker;
}

/**
 * A pool over a shared heap. The caller works too, and waits awake: a page's main thread may not sleep.
 *
 * @param names - functions that jobs may call, of any of the modules
 */
export function startPool(
  memory: WebAssembly.Memory,
  modules: readonly WebAssembly.Module[],
  names: readonly string[],
  threads: number,
): Pool {
  const control = new SharedArrayBuffer(CONTROL_BYTES);
  const state = new Int32Array(control);
  const calls = new Float64Array(control, CALLS_AT);
  const instances = modules.map((module) => new WebAssembly.Instance(module, { env: { memory } }).exports);
  const workers = Array.from({ length: threads - 1 }, (_, i) =>
    startWorker({ control, memory, modules, names, thread: i + 1, spin: SPIN }),
  );

  const run = (op: string, { module, function: index, calls: list, scratch }: Job): void => {
    const count = list[0]!.length;
    if (list.length * count > ROOM) throw new EvenkeelError('KERNEL', `${list.length} chunks are too many for ${ROOM} arguments`, { op });
    list.forEach((values, chunk) => calls.set(values, chunk * count));
    state[MODULE] = module;
    state[FUNCTION] = index;
    state[ARGUMENTS] = count;
    state[CHUNKS] = list.length;
    state[SCRATCH_BYTES] = scratch.bytes;
    state[SCRATCH_MASK] = scratch.positions.reduce((mask, position) => mask | (1 << position), 0);
    Atomics.store(state, FAILED, 0);
    Atomics.store(state, NEXT, 0);
    Atomics.add(state, GENERATION, 1);
    Atomics.notify(state, GENERATION);
    const own = instances[module]![names[index]!] as (...args: number[]) => void;
    let failure: unknown;
    for (let chunk = Atomics.add(state, NEXT, 1); chunk < list.length; chunk = Atomics.add(state, NEXT, 1)) {
      try {
        own(...list[chunk]!);
      } catch (error) {
        failure = error;
      }
    }
    Atomics.add(state, GENERATION, 1);
    while (Atomics.load(state, ACTIVE) !== 0);
    if (failure !== undefined) throw failure as Error;
    if (Atomics.load(state, FAILED) !== 0) throw new Error('a chunk failed in a worker');
  };

  return {
    threads,
    run,
    helped: () => Atomics.load(state, HELPED),
    dispose: () => {
      Atomics.store(state, STOP, 1);
      Atomics.add(state, GENERATION, 2);
      Atomics.notify(state, GENERATION);
      for (const worker of workers) worker.terminate();
    },
  };
}
