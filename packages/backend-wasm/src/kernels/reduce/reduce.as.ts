// Sum, maximum and minimum of [outer, count, inner] over its middle axis, float32. Bound by bytes: x is read once, in order.
//
// Sums run in float32 over blocks and in float64 over blocks of blocks, so that a million values lose no more than a few.

/** Rows that are summed before float64 takes over. */
const BLOCK: usize = 256;

const SUM: i32 = 0;
const MAX: i32 = 1;

// @ts-ignore: decorator
@inline
function combine(kind: i32, a: v128, b: v128): v128 {
  if (kind == SUM) return f32x4.add(a, b);
  // Both bring a NaN through.
  return kind == MAX ? f32x4.max(a, b) : f32x4.min(a, b);
}

// @ts-ignore: decorator
@inline
function combineLanes(kind: i32, v: v128): f32 {
  const pairs = combine(kind, v, v128.shuffle<f32>(v, v, 2, 3, 0, 1));
  return f32x4.extract_lane(combine(kind, pairs, v128.shuffle<f32>(pairs, pairs, 1, 0, 3, 2)), 0);
}

// @ts-ignore: decorator
@inline
function neutral(kind: i32): f32 {
  return kind == SUM ? 0 : kind == MAX ? -Infinity : Infinity;
}

/** Of `count` floats in a row; four accumulators hide the latency. */
// @ts-ignore: decorator
@inline
function ofRun(kind: i32, x: usize, count: usize): f32 {
  let a = f32x4.splat(neutral(kind));
  let b = a;
  let c = a;
  let d = a;
  const end = x + count * 4;
  for (const last = x + (count & ~15) * 4; x < last; x += 64) {
    a = combine(kind, a, v128.load(x));
    b = combine(kind, b, v128.load(x, 16));
    c = combine(kind, c, v128.load(x, 32));
    d = combine(kind, d, v128.load(x, 48));
  }
  for (; x + 16 <= end; x += 16) a = combine(kind, a, v128.load(x));
  a = combine(kind, combine(kind, a, b), combine(kind, c, d));
  for (; x < end; x += 4) {
    const v = f32x4.splat(load<f32>(x));
    // Into one lane only, for a sum.
    a = f32x4.replace_lane(a, 0, f32x4.extract_lane(combine(kind, a, v), 0));
  }
  return combineLanes(kind, a);
}

// @ts-ignore: decorator
@inline
function rowsOf(kind: i32, x: usize, y: usize, outer: usize, count: usize, scale: f32): void {
  for (let i: usize = 0; i < outer; i++) {
    if (kind == SUM) {
      let total: f64 = 0;
      for (let at: usize = 0; at < count; at += BLOCK * 16) {
        const some = min(BLOCK * 16, count - at);
        total += <f64>ofRun(kind, x + at * 4, some);
      }
      store<f32>(y, <f32>(total * <f64>scale));
    } else store<f32>(y, ofRun(kind, x, count));
    x += count * 4;
    y += 4;
  }
}

/** y[inner] combined with `count` rows of x. */
// @ts-ignore: decorator
@inline
function accumulate(kind: i32, x: usize, y: usize, count: usize, inner: usize): void {
  const bytes = inner * 4;
  let at: usize = 0;
  // Sixteen columns stay in registers while the rows pass.
  for (; at + 64 <= bytes; at += 64) {
    let a = v128.load(y + at);
    let b = v128.load(y + at, 16);
    let c = v128.load(y + at, 32);
    let d = v128.load(y + at, 48);
    let row = x + at;
    for (let r: usize = 0; r < count; r++) {
      a = combine(kind, a, v128.load(row));
      b = combine(kind, b, v128.load(row, 16));
      c = combine(kind, c, v128.load(row, 32));
      d = combine(kind, d, v128.load(row, 48));
      row += bytes;
    }
    v128.store(y + at, a);
    v128.store(y + at, b, 16);
    v128.store(y + at, c, 32);
    v128.store(y + at, d, 48);
  }
  for (; at + 16 <= bytes; at += 16) {
    let a = v128.load(y + at);
    let row = x + at;
    for (let r: usize = 0; r < count; r++) {
      a = combine(kind, a, v128.load(row));
      row += bytes;
    }
    v128.store(y + at, a);
  }
  for (; at < bytes; at += 4) {
    let a = f32x4.splat(load<f32>(y + at));
    let row = x + at;
    for (let r: usize = 0; r < count; r++) {
      a = combine(kind, a, f32x4.splat(load<f32>(row)));
      row += bytes;
    }
    store<f32>(y + at, f32x4.extract_lane(a, 0));
  }
}

// @ts-ignore: decorator
@inline
function min(a: usize, b: usize): usize {
  return a < b ? a : b;
}

// @ts-ignore: decorator
@inline
function columnsOf(kind: i32, x: usize, y: usize, outer: usize, count: usize, inner: usize, scale: f32, totals: usize): void {
  const bytes = inner * 4;
  for (let i: usize = 0; i < outer; i++) {
    const fold = kind == SUM && count > BLOCK;
    if (count == 0) for (let j: usize = 0; j < bytes; j += 4) store<f32>(y + j, 0);
    if (fold) memory.fill(totals, 0, bytes * 2);
    for (let at: usize = 0; at < count; at += BLOCK) {
      if (at == 0 || fold) for (let j: usize = 0; j < bytes; j += 4) store<f32>(y + j, neutral(kind));
      const some = min(BLOCK, count - at);
      accumulate(kind, x, y, some, inner);
      x += some * bytes;
      if (fold) for (let j: usize = 0; j < bytes; j += 4) store<f64>(totals + j * 2, load<f64>(totals + j * 2) + <f64>load<f32>(y + j));
    }
    if (fold) for (let j: usize = 0; j < bytes; j += 4) store<f32>(y + j, <f32>(load<f64>(totals + j * 2) * <f64>scale));
    else if (kind == SUM && scale != 1) for (let j: usize = 0; j < bytes; j += 4) store<f32>(y + j, load<f32>(y + j) * scale);
    y += bytes;
  }
}

// @ts-ignore: decorator
@inline
function reduce(kind: i32, x: usize, y: usize, outer: usize, count: usize, inner: usize, scale: f32, totals: usize): void {
  if (inner == 1) rowsOf(kind, x, y, outer, count, scale);
  else columnsOf(kind, x, y, outer, count, inner, scale, totals);
}

/** y[outer, inner] = scale * sum of x[outer, count, inner]. `totals` is scratch of 8 bytes for each of `inner`. */
export function sum(x: usize, y: usize, outer: usize, count: usize, inner: usize, scale: f32, totals: usize): void {
  reduce(SUM, x, y, outer, count, inner, scale, totals);
}

export function max(x: usize, y: usize, outer: usize, count: usize, inner: usize): void {
  reduce(MAX, x, y, outer, count, inner, 1, 0);
}

export function minimum(x: usize, y: usize, outer: usize, count: usize, inner: usize): void {
  reduce(2, x, y, outer, count, inner, 1, 0);
}
