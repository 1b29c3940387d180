import type { Arm, Outputs } from './arm.ts';

export interface Difference {
  readonly output: string;
  /** The largest |got - wanted| / (1 + |wanted|). */
  readonly error: number;
}

/** The worst of an arm's outputs against what is wanted, all of which must be there. */
export function compare(got: Outputs, wanted: Readonly<Record<string, ArrayLike<number>>>): Difference {
  let worst: Difference = { output: '', error: 0 };
  for (const [output, values] of Object.entries(wanted)) {
    const found = got[output];
    if (found?.length !== values.length) {
      throw new Error(`${output} has ${found?.length ?? 'no'} values, expected ${values.length}`);
    }
    for (let i = 0; i < values.length; i++) {
      const value = values[i]!;
      const error = Math.abs(found[i]! - value) / (1 + Math.abs(value));
      // Not `error > worst`: NaN must win.
      if (!(error <= worst.error)) worst = { output, error: Number.isNaN(error) ? Infinity : error };
    }
  }
  return worst;
}

/** Runs the arm once and throws unless its results are right: a fast wrong answer is no contestant. Returns the worst difference. */
export async function verify(arm: Arm, wanted: Readonly<Record<string, ArrayLike<number>>>, tolerance: number): Promise<Difference> {
  if (arm.read === undefined) return { output: '', error: 0 };
  const difference = compare(await arm.read(), wanted);
  if (difference.error > tolerance) {
    throw new Error(
      `${arm.name}: ${difference.output} is wrong by ${difference.error.toExponential(1)}, tolerance ${tolerance}; nothing is timed before this is right`,
    );
  }
  return difference;
}
