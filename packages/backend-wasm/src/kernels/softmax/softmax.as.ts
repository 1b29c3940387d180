// Softmax and log-softmax over rows of float32. Bound by exp, not by memory: a row is read again while it is in L1.
// variants: relaxed

import { exp, expBelow, log } from '../_math.as';
import { exp2, exp3, exp4, exp5, exp6, expLeast, expMost, leastExponent, infinite, leastNormal, ln2High, ln2Low, log0, log1, log2, log2e, log3, log4, log5, log6, log7, log8, magic, mantissa, power1, power2, power3, power4, power5, raise, raised, rootHalf } from '../_constants.as';

export * from '../_constants.as';

// @ts-ignore: decorator
@inline
function rest(x: usize, count: usize, fill: v128): v128 {
  let v = v128.load32_lane(x, fill, 0);
  if (count > 1) v = v128.load32_lane(x, v, 1, 4);
  if (count > 2) v = v128.load32_lane(x, v, 2, 8);
  return v;
}

// @ts-ignore: decorator
@inline
function storeRest(y: usize, v: v128, count: usize): void {
  v128.store32_lane(y, v, 0);
  if (count > 1) v128.store32_lane(y, v, 1, 4);
  if (count > 2) v128.store32_lane(y, v, 2, 8);
}

/** The largest of a row, in all lanes. It may pass over a NaN, which the sum of exponentials then brings back. */
function largest(x: usize, n: usize): v128 {
  let a = f32x4.splat(-Infinity);
  let b = a;
  let c = a;
  let d = a;
  const end = x + n * 4;
  for (; x + 64 <= end; x += 64) {
    a = f32x4.pmax(a, v128.load(x));
    b = f32x4.pmax(b, v128.load(x, 16));
    c = f32x4.pmax(c, v128.load(x, 32));
    d = f32x4.pmax(d, v128.load(x, 48));
  }
  for (; x + 16 <= end; x += 16) a = f32x4.pmax(a, v128.load(x));
  if (x < end) b = f32x4.pmax(b, rest(x, n & 3, f32x4.splat(-Infinity)));
  a = f32x4.pmax(f32x4.pmax(a, b), f32x4.pmax(c, d));
  a = f32x4.pmax(a, v128.shuffle<f32>(a, a, 2, 3, 0, 1));
  return f32x4.pmax(a, v128.shuffle<f32>(a, a, 1, 0, 3, 2));
}

// @ts-ignore: decorator
@inline
function total(v: v128): v128 {
  const pairs = f32x4.add(v, v128.shuffle<f32>(v, v, 2, 3, 0, 1));
  return f32x4.add(pairs, v128.shuffle<f32>(pairs, pairs, 1, 0, 3, 2));
}

/**
 * y = exp(x - max) / sum of them, for each of `rows` rows of `n`. In place too. The largest of a row is found while the row before it is
 * scaled: that pass is bound by memory, and has registers to spare.
 */
export function softmax(x: usize, y: usize, rows: usize, n: usize): void {
  if (rows == 0) return;
  const least = f32x4.splat(leastExponent);
  const scale = f32x4.splat(log2e);
  const round = f32x4.splat(magic);
  const c5 = f32x4.splat(power5);
  const c4 = f32x4.splat(power4);
  const c3 = f32x4.splat(power3);
  const c2 = f32x4.splat(power2);
  const c1 = f32x4.splat(power1);
  const tail = n & 3;
  const last = x + (rows - 1) * n * 4;
  let max = largest(x, n);
  while (true) {
    const across = y - x;
    let sum = f32x4.splat(0);
    let from = x;
    for (const end = x + (n & ~3) * 4; from < end; from += 16) {
      const p = expBelow(f32x4.sub(v128.load(from), max), least, scale, round, c5, c4, c3, c2, c1);
      v128.store(from + across, p);
      sum = f32x4.add(sum, p);
    }
    if (tail != 0) {
      const p = expBelow(f32x4.sub(rest(from, tail, f32x4.splat(-Infinity)), max), least, scale, round, c5, c4, c3, c2, c1);
      storeRest(from + across, p, tail);
      sum = f32x4.add(sum, p);
    }
    const factor = f32x4.div(f32x4.splat(1), total(sum));
    // After the last row that row once more, for nothing.
    const next = x == last ? x : x + n * 4;
    max = scaleAndLargest(y, factor, next, n);
    if (x == last) return;
    x = next;
    y += n * 4;
  }
}

/** Scales a row of y; the largest of a row of x, in all lanes. */
function scaleAndLargest(y: usize, factor: v128, x: usize, n: usize): v128 {
  let a = f32x4.splat(-Infinity);
  let b = a;
  const end = y + n * 4;
  for (; y + 32 <= end; y += 32) {
    v128.store(y, f32x4.mul(v128.load(y), factor));
    v128.store(y, f32x4.mul(v128.load(y, 16), factor), 16);
    a = f32x4.pmax(a, v128.load(x));
    b = f32x4.pmax(b, v128.load(x, 16));
    x += 32;
  }
  for (; y + 16 <= end; y += 16) {
    v128.store(y, f32x4.mul(v128.load(y), factor));
    a = f32x4.pmax(a, v128.load(x));
    x += 16;
  }
  if (y < end) {
    storeRest(y, f32x4.mul(rest(y, n & 3, factor), factor), n & 3);
    b = f32x4.pmax(b, rest(x, n & 3, f32x4.splat(-Infinity)));
  }
  a = f32x4.pmax(a, b);
  a = f32x4.pmax(a, v128.shuffle<f32>(a, a, 2, 3, 0, 1));
  return f32x4.pmax(a, v128.shuffle<f32>(a, a, 1, 0, 3, 2));
}

function logarithm(x: v128): v128 {
  return log(x, f32x4.splat(leastNormal), f32x4.splat(raise), f32x4.splat(raised), f32x4.splat(infinite), i32x4.splat(rootHalf), i32x4.splat(mantissa), f32x4.splat(ln2High), f32x4.splat(ln2Low), f32x4.splat(log8), f32x4.splat(log7), f32x4.splat(log6), f32x4.splat(log5), f32x4.splat(log4), f32x4.splat(log3), f32x4.splat(log2), f32x4.splat(log1), f32x4.splat(log0));
}

/** y = x - max - log(sum of exp(x - max)), for each of `rows` rows of `n`. In place too. */
export function logSoftmax(x: usize, y: usize, rows: usize, n: usize): void {
  const tail = n & 3;
  for (let r: usize = 0; r < rows; r++) {
    const max = largest(x, n);
    const offset = logarithm(sumOfExp(x, n, max));
    const end = x + n * 4;
    for (; x + 16 <= end; x += 16) {
      v128.store(y, f32x4.sub(f32x4.sub(v128.load(x), max), offset));
      y += 16;
    }
    if (tail == 0) continue;
    storeRest(y, f32x4.sub(f32x4.sub(rest(x, tail, max), max), offset), tail);
    x += tail * 4;
    y += tail * 4;
  }
}

/** The sum of exp(x - max) over a row, in all lanes. */
function sumOfExp(x: usize, n: usize, max: v128): v128 {
  const least = f32x4.splat(leastExponent);
  const scale = f32x4.splat(log2e);
  const round = f32x4.splat(magic);
  const c5 = f32x4.splat(power5);
  const c4 = f32x4.splat(power4);
  const c3 = f32x4.splat(power3);
  const c2 = f32x4.splat(power2);
  const c1 = f32x4.splat(power1);
  let a = f32x4.splat(0);
  let b = a;
  for (const end = x + (n & ~3) * 4; x < end; x += 16) a = f32x4.add(a, expBelow(f32x4.sub(v128.load(x), max), least, scale, round, c5, c4, c3, c2, c1));
  if ((n & 3) != 0) b = f32x4.add(b, expBelow(f32x4.sub(rest(x, n & 3, f32x4.splat(-Infinity)), max), least, scale, round, c5, c4, c3, c2, c1));
  return total(f32x4.add(a, b));
}

/** y[r] = log of the sum of exp(x) over row r; an infinite maximum is the answer itself. */
export function logSumExp(x: usize, y: usize, rows: usize, n: usize): void {
  for (let r: usize = 0; r < rows; r++) {
    const max = largest(x, n);
    const finite = f32x4.lt(f32x4.abs(max), f32x4.splat(Infinity));
    const shift = v128.and(max, finite);
    const sum = v128.bitselect(sumOfExp(x, n, shift), sumOfExpAny(x, n, shift), finite);
    v128.store32_lane(y, f32x4.add(shift, logarithm(sum)), 0);
    x += n * 4;
    y += 4;
  }
}

/** Where the maximum is infinite: exp of the numbers as they are. */
function sumOfExpAny(x: usize, n: usize, shift: v128): v128 {
  let a = f32x4.splat(0);
  if (f32x4.extract_lane(shift, 0) != 0) return a;
  for (const end = x + n * 4; x < end; x += 4) a = f32x4.add(a, exp(v128.load32_zero(x), f32x4.splat(expLeast), f32x4.splat(expMost), f32x4.splat(log2e), f32x4.splat(magic), f32x4.splat(ln2High), f32x4.splat(ln2Low), f32x4.splat(exp6), f32x4.splat(exp5), f32x4.splat(exp4), f32x4.splat(exp3), f32x4.splat(exp2)));
  return v128.shuffle<f32>(a, a, 0, 0, 0, 0);
}

/** dx = (dy - sum(dy y)) y, for each of `rows` rows of `n`: softmax' gradient from its result. */
export function softmaxGradient(dy: usize, y: usize, dx: usize, rows: usize, n: usize): void {
  for (let r: usize = 0; r < rows; r++) {
    let a = f32x4.splat(0);
    let b = a;
    let i: usize = 0;
    const whole = (n & ~3) * 4;
    for (; i + 32 <= whole; i += 32) {
      a = f32x4.add(a, f32x4.mul(v128.load(dy + i), v128.load(y + i)));
      b = f32x4.add(b, f32x4.mul(v128.load(dy + i, 16), v128.load(y + i, 16)));
    }
    for (; i < whole; i += 16) a = f32x4.add(a, f32x4.mul(v128.load(dy + i), v128.load(y + i)));
    let sum = f32x4.extract_lane(total(f32x4.add(a, b)), 0);
    for (i = whole; i < n * 4; i += 4) sum += load<f32>(dy + i) * load<f32>(y + i);
    const s = f32x4.splat(sum);
    for (i = 0; i < whole; i += 16) v128.store(dx + i, f32x4.mul(f32x4.sub(v128.load(dy + i), s), v128.load(y + i)));
    for (; i < n * 4; i += 4) store<f32>(dx + i, (load<f32>(dy + i) - sum) * load<f32>(y + i));
    dy += n * 4;
    y += n * 4;
    dx += n * 4;
  }
}
