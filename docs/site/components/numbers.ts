/** A time with three digits that say something. */
export function milliseconds(time: number): string {
  if (time >= 1000) return `${(time / 1000).toPrecision(3)} s`;
  return time < 0.1 ? '< 0.1 ms' : `${time.toPrecision(3)} ms`;
}

/** A number as figures show it; there is none where something never came. */
export function digits(value: number | null): string {
  if (value === null) return 'never';
  if (Number.isInteger(value)) return String(value);
  return Math.abs(value) >= 1000 || Math.abs(value) < 0.001 ? value.toExponential(1) : String(Number(value.toPrecision(3)));
}
