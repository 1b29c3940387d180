/** What is checked of an op on a backend, or of a plugin. */
export type CheckName =
  | 'declaration'
  | 'compile'
  | 'values'
  | 'kernel'
  | 'repeatable'
  | 'slices'
  | 'inputs unchanged'
  | 'no aliases'
  | 'no leaks'
  | 'gradient'
  | 'differences'
  | 'second order'
  | 'empty batch'
  | 'bad calls'
  | 'property'
  | 'names'
  | 'registration'
  | 'cases'
  | 'layers';

export interface CheckFailure {
  readonly check: CheckName;
  /** Empty where it concerns all backends. */
  readonly backend: string;
  readonly case: string;
  readonly message: string;
}

/** Gathers what passed and what failed. */
export interface CheckRecord {
  readonly failures: CheckFailure[];
  /** How often each check passed, by `check|backend`. */
  readonly passed: Map<string, number>;
  /** Runs a check that returns what is wrong, if anything. What it throws is wrong, too. Resolves to whether it passed. */
  check(check: CheckName, backend: string, caseName: string, run: () => Promise<string | undefined> | string | undefined): Promise<boolean>;
}

function describeError(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause === undefined ? '' : `, caused by ${describeError(error.cause)}`;
  return `${error.name}: ${error.message}${cause}`;
}

export function newRecord(): CheckRecord {
  const failures: CheckFailure[] = [];
  const passed = new Map<string, number>();
  return {
    failures,
    passed,
    async check(check, backend, caseName, run) {
      let message: string | undefined;
      try {
        message = await run();
      } catch (error) {
        message = `threw ${describeError(error)}`;
      }
      if (message === undefined) {
        const key = `${check}|${backend}`;
        passed.set(key, (passed.get(key) ?? 0) + 1);
        return true;
      }
      failures.push({ check, backend, case: caseName, message });
      return false;
    },
  };
}

export function describeFailure({ check, backend, case: caseName, message }: CheckFailure): string {
  return `${check}${backend === '' ? '' : ` on ${backend}`}${caseName === '' ? '' : `, case '${caseName}'`}: ${message}`;
}
