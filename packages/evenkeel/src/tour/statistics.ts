export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** The largest |a[i] - b[i]|; not finite where a value is not. */
export function largestDifference(a: readonly number[], b: readonly number[]): number {
  return a.reduce((largest, value, i) => {
    const difference = Math.abs(value - b[i]!);
    return difference > largest || Number.isNaN(difference) ? difference : largest;
  }, 0);
}
