import type { HostTensor } from './host.ts';

/** Where a value stands, as people count. */
function position(index: number, shape: readonly number[]): string {
  const at: number[] = [];
  let rest = index;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    at.unshift(rest % shape[axis]!);
    rest = Math.floor(rest / shape[axis]!);
  }
  return `[${at.join(', ')}]`;
}

const short = (value: number): string => (Number.isInteger(value) ? String(value) : value.toPrecision(7));

/** What is wrong with `found`, or undefined. |a - b| <= tolerance (1 + |b|); NaN and infinities must stand in the same places. */
export function difference(
  what: string,
  found: HostTensor,
  expected: HostTensor,
  tolerance: number,
  { against = 'the reference', ignoreNonFinite = false }: { against?: string; ignoreNonFinite?: boolean } = {},
): string | undefined {
  if (found.shape.length !== expected.shape.length || found.shape.some((length, axis) => length !== expected.shape[axis])) {
    return `${what} has shape [${found.shape.join(', ')}], ${against} has [${expected.shape.join(', ')}]`;
  }
  if (found.dtype !== expected.dtype) return `${what} has dtype ${found.dtype}, ${against} has ${expected.dtype}`;
  let wrong = 0;
  let worst = 0;
  let at = -1;
  for (let i = 0; i < expected.values.length; i++) {
    const a = found.values[i]!;
    const b = expected.values[i]!;
    if (Object.is(a, b)) continue;
    if (ignoreNonFinite && !(Number.isFinite(a) && Number.isFinite(b))) continue;
    const error = Math.abs(a - b) / (1 + Math.abs(b));
    // NaN compares with nothing: an error that is no number is infinite.
    const size = error >= 0 && error < Infinity ? error : a === b ? 0 : Infinity;
    if (size <= tolerance) continue;
    wrong++;
    if (size > worst) [worst, at] = [size, i];
  }
  if (wrong === 0) return undefined;
  const size = worst === Infinity ? '' : `; error ${worst.toExponential(1)}, tolerance ${tolerance.toExponential(0)}`;
  const values = `${short(found.values[at]!)}, ${against} has ${short(expected.values[at]!)}`;
  return `${what}${position(at, expected.shape)} is ${values} (${wrong} of ${expected.values.length} values differ${size})`;
}

/** Whether two tensors hold the same bits. */
export function identical(a: HostTensor, b: HostTensor): boolean {
  return a.values.length === b.values.length && a.values.every((value, i) => Object.is(value, b.values[i]));
}
