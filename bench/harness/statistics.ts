/** The quantile `q` in [0, 1], interpolated between neighbours; NaN of nothing. */
export function quantile(values: readonly number[], q: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (sorted.length - 1) * q;
  const below = sorted[Math.floor(at)] ?? NaN;
  const above = sorted[Math.ceil(at)] ?? NaN;
  return below + (above - below) * (at - Math.floor(at));
}

export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/**
 * The median over rounds of numerator / denominator, and the spread of that quotient. Rounds in which only one of the two has a sample do
 * not count. Two samples of one round met the same neighbours on the machine, so that their quotient is steadier than either.
 */
export function pairedRatio(
  numerator: readonly (number | undefined)[],
  denominator: readonly (number | undefined)[],
): { ratio: number; p10: number; p90: number; pairs: number } {
  const quotients = numerator.flatMap((value, round) => {
    const other = denominator[round];
    return value === undefined || other === undefined ? [] : [value / other];
  });
  return { ratio: median(quotients), p10: quantile(quotients, 0.1), p90: quantile(quotients, 0.9), pairs: quotients.length };
}
