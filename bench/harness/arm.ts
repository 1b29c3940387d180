/** One contestant: a way to compute the same thing, on inputs it already holds. */
export interface Arm {
  readonly name: string;
  /** What a reader must know to read its numbers, in a few words. */
  readonly note?: string;
  /** Before each turn, outside of the measured time. */
  enter?(): Promise<void>;
  /** One call, its outputs freed. A promise is awaited within the measured time. */
  run(): unknown;
  /** Waits until everything that calls of `run` started is done; measured with them. For devices that run behind. */
  finish?(): Promise<unknown>;
  /** One call whose outputs are read back, to compare them before anything is timed. */
  read?(): Promise<Outputs>;
  dispose?(): void;
}

/** Results by name. */
export type Outputs = Readonly<Record<string, Float32Array>>;

/** Where the time comes from. Tests bring their own. */
export interface Clock {
  /** Wall time in milliseconds. */
  now(): number;
  /** Time that all threads of the process spent on processors, in milliseconds. */
  cpu(): number;
}

export const systemClock: Clock = {
  now: () => performance.now(),
  cpu: () => {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1000;
  },
};
