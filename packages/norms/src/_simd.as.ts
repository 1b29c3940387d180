// Small things that all kernels share. Addresses and lengths are in bytes; a vector is 16 bytes, four float32.

/** Sum of the four lanes. */
export function lanes(v: v128): f32 {
  const pairs = f32x4.add(v, i8x16.shuffle(v, v, 8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7));
  return f32x4.extract_lane(pairs, 0) + f32x4.extract_lane(pairs, 1);
}

// @ts-ignore: decorator
@inline
export function min(a: usize, b: usize): usize {
  return a < b ? a : b;
}

/** 1, -1, or 0 where c is 0 or NaN. */
// @ts-ignore: decorator
@inline
export function signOf(c: f32): f32 {
  return c > 0 ? 1 : c < 0 ? -1 : 0;
}

/** Sets `count` float32 to `value`: an absent gamma is ones, an absent beta zeros, so that every kernel needs one loop only. */
export function fill(at: usize, count: usize, value: f32): void {
  const end = at + (count << 2);
  for (; at < end; at += 4) store<f32>(at, value);
}

// Sums over very many rows: float32 within a block, float64 across blocks. `sums` are `bytes / 4` float32, `totals` as many float64.

/** totals += sums; sums = 0. */
export function flush(sums: usize, totals: usize, bytes: usize): void {
  for (let i: usize = 0; i < bytes; i += 4) {
    const total = totals + (i << 1);
    store<f64>(total, load<f64>(total) + <f64>load<f32>(sums + i));
    store<f32>(sums + i, 0);
  }
}

/** sums = totals. */
export function settle(sums: usize, totals: usize, bytes: usize): void {
  for (let i: usize = 0; i < bytes; i += 4) store<f32>(sums + i, <f32>load<f64>(totals + (i << 1)));
}
