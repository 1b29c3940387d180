// What the caller and its workers share besides the heap: a few counters, and the calls of the job at hand.

/** Indices into the control block as Int32Array. */
export const GENERATION = 0; // odd while a job is open; workers sleep on it
export const NEXT = 1; // the next chunk that nobody has taken
export const CHUNKS = 2;
export const ACTIVE = 3; // workers that look at the job
export const FAILED = 4; // chunks that trapped
export const MODULE = 5;
export const FUNCTION = 6;
export const ARGUMENTS = 7; // of each call
export const SCRATCH_BYTES = 8; // of each thread: what its number is multiplied by ...
export const SCRATCH_MASK = 9; // ... and added to the arguments of these positions
export const STOP = 10;
export const HELPED = 11; // chunks that workers have run since the start

/** Where the calls' arguments begin, as bytes; and how many numbers there is room for. */
export const CALLS_AT = 64;
export const ROOM = 2048;

export const CONTROL_BYTES = CALLS_AT + 8 * ROOM;

/**
 * What a worker runs, as text: it must start from a Blob in a page and from a string in Node, whatever a bundler does to this package.
 * `data` holds the control block, the heap, the modules, the functions' names, the worker's number and how long it spins.
 *
 * A worker counts itself in before it looks at a job, and the caller closes a job before it waits for that count to be 0: so nobody reads
 * the calls while the next job's are written.
 */
export const WORKER = `
function serve({ control, memory, modules, names, thread, spin }) {
  const state = new Int32Array(control);
  const calls = new Float64Array(control, ${CALLS_AT});
  const instances = modules.map((module) => new WebAssembly.Instance(module, { env: { memory } }).exports);
  const now = () => performance.now();
  for (let seen = 0; ; ) {
    const until = now() + spin;
    for (let turn = 0; Atomics.load(state, ${GENERATION}) === seen; turn++) {
      if (turn % 64 === 0 && now() > until) Atomics.wait(state, ${GENERATION}, seen);
    }
    if (Atomics.load(state, ${STOP}) !== 0) return;
    Atomics.add(state, ${ACTIVE}, 1);
    seen = Atomics.load(state, ${GENERATION});
    if (seen % 2 !== 0) {
      const run = instances[state[${MODULE}]][names[state[${FUNCTION}]]];
      const count = state[${ARGUMENTS}];
      const chunks = state[${CHUNKS}];
      for (let chunk; (chunk = Atomics.add(state, ${NEXT}, 1)) < chunks; ) {
        const values = Array.from(calls.subarray(chunk * count, (chunk + 1) * count));
        for (let i = 0; i < count; i++) if (state[${SCRATCH_MASK}] & (1 << i)) values[i] += thread * state[${SCRATCH_BYTES}];
        try {
          run(...values);
          Atomics.add(state, ${HELPED}, 1);
        } catch {
          Atomics.add(state, ${FAILED}, 1);
        }
      }
    }
    Atomics.sub(state, ${ACTIVE}, 1);
  }
}
`;
