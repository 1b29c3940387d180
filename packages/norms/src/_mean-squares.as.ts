// Mean squares of the columns of a matrix whose rows are contiguous, a block of rows at a time: a block stays in the caches, so that what
// needs it twice reads memory once. Within a block columns are worked on in strips, whose sums stay in registers. Sums are float32 over
// some hundred rows and float64 beyond.
//
// Each row's groups of columns are multiplied by factors of their own, and rows that do not count are left out of sums by bits, not by
// zeros: what stands in them may be NaN.
import { squaresOf } from './_rows.as';
import { min } from './_simd.as';

/** Bytes of a block, if it has no fewer than 8 rows and no more than 128. */
const BLOCK: usize = 24576;

/** The most rows that a block has, and about as many as are summed in float32. */
export const MOST_ROWS: usize = 128;

/** Rows of a block, of which `bytes` each are moved. */
// @ts-ignore: decorator
@inline
export function blockRows(bytes: usize): usize {
  const rows = BLOCK / bytes;
  return rows < 8 ? 8 : min(rows, MOST_ROWS);
}

/** All bits of a word for each row that counts, none for others: those where the int32 `mask` is 0. Returns how many count; no mask: all. */
export function countedRows(mask: usize, rows: usize, counted: usize): usize {
  let count: usize = 0;
  for (let row: usize = 0; row < rows; row++) {
    const counts = mask == 0 || load<i32>(mask + (row << 2)) != 0;
    store<i32>(counted + (row << 2), counts ? -1 : 0);
    if (counts) count++;
  }
  return count;
}

/** factors = 1 / sqrt(mean square + epsilon) of each row's groups; of `groups` 0, one factor of 1 a row. */
export function groupFactors(x: usize, rows: usize, bytes: usize, groups: usize, epsilon: f32, factors: usize): void {
  if (groups == 0) {
    for (const end = factors + (rows << 2); factors < end; factors += 4) store<f32>(factors, 1);
    return;
  }
  const part = bytes / groups;
  const n = <f64>(part >> 2);
  for (let each = rows * groups; each > 0; each--) {
    store<f32>(factors, 1 / sqrt<f32>(<f32>(squaresOf(x, part, 0) / n) + epsilon));
    x += part;
    factors += 4;
  }
}

/** sums += (x factor)^2 by column over the rows of a block that count. `groups` is 1 at least. */
export function blockSquares(x: usize, rows: usize, bytes: usize, groups: usize, factors: usize, counted: usize, sums: usize): void {
  const part = bytes / groups;
  const stride = groups << 2;
  for (let group: usize = 0; group < groups; group++) {
    let i = group * part;
    const end = i + part;
    for (; i + 32 <= end; i += 32) {
      let a = v128.load(sums + i);
      let b = v128.load(sums + i, 16);
      let at = x + i;
      let f = factors + (group << 2);
      for (let row: usize = 0; row < rows; row++) {
        const factor = v128.load32_splat(f);
        const bits = v128.load32_splat(counted + (row << 2));
        const p = f32x4.mul(v128.load(at), factor);
        const q = f32x4.mul(v128.load(at, 16), factor);
        a = f32x4.add(a, v128.and(f32x4.mul(p, p), bits));
        b = f32x4.add(b, v128.and(f32x4.mul(q, q), bits));
        at += bytes;
        f += stride;
      }
      v128.store(sums + i, a);
      v128.store(sums + i, b, 16);
    }
    for (; i < end; i += 4) {
      let a = load<f32>(sums + i);
      let at = x + i;
      let f = factors + (group << 2);
      for (let row: usize = 0; row < rows; row++) {
        const p = load<f32>(at) * load<f32>(f);
        if (load<i32>(counted + (row << 2)) != 0) a += p * p;
        at += bytes;
        f += stride;
      }
      store<f32>(sums + i, a);
    }
  }
}

/** Both in one: y = x factor scale + shift, and sums += (x factor)^2 over rows that count. `groups` is 1 at least. */
export function blockScaleAndSquares(
  x: usize,
  y: usize,
  rows: usize,
  bytes: usize,
  groups: usize,
  factors: usize,
  counted: usize,
  scale: usize,
  shift: usize,
  sums: usize,
): void {
  const part = bytes / groups;
  const stride = groups << 2;
  const toY = y - x;
  for (let group: usize = 0; group < groups; group++) {
    let i = group * part;
    const end = i + part;
    for (; i + 32 <= end; i += 32) {
      let a = v128.load(sums + i);
      let b = v128.load(sums + i, 16);
      const scaleA = v128.load(scale + i);
      const scaleB = v128.load(scale + i, 16);
      const shiftA = v128.load(shift + i);
      const shiftB = v128.load(shift + i, 16);
      let at = x + i;
      let f = factors + (group << 2);
      for (let row: usize = 0; row < rows; row++) {
        const factor = v128.load32_splat(f);
        const bits = v128.load32_splat(counted + (row << 2));
        const p = f32x4.mul(v128.load(at), factor);
        v128.store(at + toY, f32x4.add(f32x4.mul(p, scaleA), shiftA));
        a = f32x4.add(a, v128.and(f32x4.mul(p, p), bits));
        const q = f32x4.mul(v128.load(at, 16), factor);
        v128.store(at + toY, f32x4.add(f32x4.mul(q, scaleB), shiftB), 16);
        b = f32x4.add(b, v128.and(f32x4.mul(q, q), bits));
        at += bytes;
        f += stride;
      }
      v128.store(sums + i, a);
      v128.store(sums + i, b, 16);
    }
    for (; i < end; i += 4) {
      let a = load<f32>(sums + i);
      let at = x + i;
      let f = factors + (group << 2);
      for (let row: usize = 0; row < rows; row++) {
        const p = load<f32>(at) * load<f32>(f);
        store<f32>(at + toY, p * load<f32>(scale + i) + load<f32>(shift + i));
        if (load<i32>(counted + (row << 2)) != 0) a += p * p;
        at += bytes;
        f += stride;
      }
      store<f32>(sums + i, a);
    }
  }
}

/** y = x factor scale + shift for a block of rows. `groups` is 1 at least. */
export function blockScale(x: usize, y: usize, rows: usize, bytes: usize, groups: usize, factors: usize, scale: usize, shift: usize): void {
  const part = bytes / groups;
  for (; rows > 0; rows--) {
    let i: usize = 0;
    for (let group: usize = 0; group < groups; group++) {
      const r = load<f32>(factors);
      const factor = f32x4.splat(r);
      const end = i + part;
      for (; i + 32 <= end; i += 32) {
        const p = f32x4.mul(f32x4.mul(v128.load(x + i), factor), v128.load(scale + i));
        const q = f32x4.mul(f32x4.mul(v128.load(x + i, 16), factor), v128.load(scale + i, 16));
        v128.store(y + i, f32x4.add(p, v128.load(shift + i)));
        v128.store(y + i, f32x4.add(q, v128.load(shift + i, 16)), 16);
      }
      for (; i + 16 <= end; i += 16) {
        const p = f32x4.mul(f32x4.mul(v128.load(x + i), factor), v128.load(scale + i));
        v128.store(y + i, f32x4.add(p, v128.load(shift + i)));
      }
      for (; i < end; i += 4) store<f32>(y + i, load<f32>(x + i) * r * load<f32>(scale + i) + load<f32>(shift + i));
      factors += 4;
    }
    x += bytes;
    y += bytes;
  }
}
