// Functions of four float32 at once, to a unit or two in the last place, right at infinities, NaN, zeros and denormals. Their constants are
// arguments (see _constants.as.ts).
import { madd } from './_madd.as';

/** r of x = n ln 2 + r, for n as a float. */
// @ts-ignore: decorator
@inline
function remainder(x: v128, n: v128, high: v128, low: v128): v128 {
  return f32x4.sub(f32x4.sub(x, f32x4.mul(n, high)), f32x4.mul(n, low));
}

/** x 2^n for whole n, also where 2^n is no normal number: by two halves. */
// @ts-ignore: decorator
@inline
function scale(x: v128, n: v128): v128 {
  const half = i32x4.shr_s(n, 1);
  const rest = i32x4.sub(n, half);
  const bias = i32x4.splat(127);
  return f32x4.mul(f32x4.mul(x, i32x4.shl(i32x4.add(half, bias), 23)), i32x4.shl(i32x4.add(rest, bias), 23));
}

/** exp(r) - 1 for |r| <= ln 2 / 2. */
// @ts-ignore: decorator
@inline
function reduced(r: v128, c6: v128, c5: v128, c4: v128, c3: v128, c2: v128): v128 {
  let p = madd(c6, r, c5);
  p = madd(p, r, c4);
  p = madd(p, r, c3);
  p = madd(p, r, c2);
  return madd(p, f32x4.mul(r, r), r);
}

/** exp(x). */
// @ts-ignore: decorator
@inline
export function exp(x: v128, least: v128, most: v128, log2e: v128, magic: v128, high: v128, low: v128, c6: v128, c5: v128, c4: v128, c3: v128, c2: v128): v128 {
  const bounded = f32x4.pmin(f32x4.pmax(least, x), most);
  const shifted = madd(bounded, log2e, magic);
  const p = reduced(remainder(bounded, f32x4.sub(shifted, magic), high, low), c6, c5, c4, c3, c2);
  const y = scale(f32x4.add(p, f32x4.splat(1)), i32x4.sub(shifted, magic));
  return v128.bitselect(y, x, f32x4.eq(x, x));
}

/**
 * exp(x) for x <= 0, and 0 from 2^-126.5 down, as 2^n 2^f with x log2 e = n + f: for differences that have been rounded already, by as much
 * as the product is here. At the least n, -127, the bits of 2^n are those of 0.
 */
// @ts-ignore: decorator
@inline
export function expBelow(x: v128, least: v128, log2e: v128, magic: v128, c5: v128, c4: v128, c3: v128, c2: v128, c1: v128): v128 {
  const y = f32x4.pmax(f32x4.mul(x, log2e), least);
  const shifted = f32x4.add(y, magic);
  const f = f32x4.sub(y, f32x4.sub(shifted, magic));
  const power = i32x4.shl(shifted, 23);
  let p = madd(c5, f, c4);
  p = madd(p, f, c3);
  p = madd(p, f, c2);
  p = madd(p, f, c1);
  return madd(p, f32x4.mul(f, power), power);
}

/** exp(x) - 1, without cancellation near 0. */
// @ts-ignore: decorator
@inline
export function expm1(x: v128, least: v128, most: v128, log2e: v128, magic: v128, high: v128, low: v128, c6: v128, c5: v128, c4: v128, c3: v128, c2: v128): v128 {
  const bounded = f32x4.pmin(f32x4.pmax(least, x), most);
  const shifted = madd(bounded, log2e, magic);
  const n = i32x4.sub(shifted, magic);
  const p = reduced(remainder(bounded, f32x4.sub(shifted, magic), high, low), c6, c5, c4, c3, c2);
  // 2^n (p + 1 - 2^-n), where n is not 0; 2^-127 and less counts for nothing.
  const reverse = i32x4.shl(i32x4.sub(i32x4.splat(127), n), 23);
  const large = scale(f32x4.sub(f32x4.add(p, f32x4.splat(1)), v128.and(reverse, i32x4.lt_s(n, i32x4.splat(127)))), n);
  const y = v128.bitselect(p, large, i32x4.eq(n, i32x4.splat(0)));
  // A zero keeps its sign, a NaN stays.
  return v128.bitselect(y, x, v128.and(f32x4.eq(x, x), f32x4.ne(x, f32x4.splat(0))));
}

/** The natural logarithm. */
// @ts-ignore: decorator
@inline
export function log(x: v128, normal: v128, raise: v128, raised: v128, infinite: v128, rootHalf: v128, mantissa: v128, high: v128, low: v128, c8: v128, c7: v128, c6: v128, c5: v128, c4: v128, c3: v128, c2: v128, c1: v128, c0: v128): v128 {
  const small = f32x4.lt(x, normal);
  const v = v128.bitselect(f32x4.mul(x, raise), x, small);
  // v = 2^e m with m in [sqrt(1/2), sqrt(2)).
  const above = i32x4.sub(v, rootHalf);
  const e = f32x4.sub(f32x4.convert_i32x4_s(i32x4.shr_s(above, 23)), v128.and(small, raised));
  const r = f32x4.sub(i32x4.add(v128.and(above, mantissa), rootHalf), f32x4.splat(1));
  let p = madd(c8, r, c7);
  p = madd(p, r, c6);
  p = madd(p, r, c5);
  p = madd(p, r, c4);
  p = madd(p, r, c3);
  p = madd(p, r, c2);
  p = madd(p, r, c1);
  p = madd(p, r, c0);
  const square = f32x4.mul(r, r);
  p = f32x4.add(f32x4.mul(f32x4.mul(p, r), square), f32x4.mul(e, low));
  p = f32x4.sub(p, f32x4.mul(f32x4.splat(0.5), square));
  let y = f32x4.add(f32x4.add(r, p), f32x4.mul(e, high));
  // Infinity and NaN as they are; 0 is -Infinity, less is NaN.
  y = v128.bitselect(y, x, f32x4.lt(x, infinite));
  y = v128.bitselect(f32x4.neg(infinite), y, f32x4.eq(x, f32x4.splat(0)));
  return v128.or(y, f32x4.lt(x, f32x4.splat(0)));
}
