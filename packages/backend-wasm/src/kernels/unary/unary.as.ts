// Elementwise functions of float32, four at a time. Constants of all of them are set up before the loop; each loop keeps those of its function.
// variants: relaxed

import { exp, expm1, log } from '../_math.as';
import { exp2, exp3, exp4, exp5, exp6, expLeast, expm1Least, expMost, infinite, leastNormal, ln2High, ln2Low, log0, log1, log2, log2e, log3, log4, log5, log6, log7, log8, magic, mantissa, raise, raised, rootHalf } from '../_constants.as';

export * from '../_constants.as';

const EXP: i32 = 0;
const EXPM1: i32 = 1;
const LOG: i32 = 2;
const LOG1P: i32 = 3;
const TANH: i32 = 4;
const SELU: i32 = 5;
const SOFTPLUS: i32 = 6;
const ERF: i32 = 7;
const SQRT: i32 = 8;
const RSQRT: i32 = 9;
const RECIPROCAL: i32 = 10;
const SIGN_OF: i32 = 11;
const LEAKY_RELU: i32 = 12;
const STEP: i32 = 13;
const CLIP: i32 = 14;

// The approximation of erf by Abramowitz and Stegun, 7.1.26, to 1.5e-7, as the other backends of tfjs use it.
export let erf5: f32 = 1.061405429;
export let erf4: f32 = -1.453152027;
export let erf3: f32 = 1.421413741;
export let erf2: f32 = -0.284496736;
export let erf1: f32 = 0.254829592;
export let erfP: f32 = 0.3275911;

export let seluScale: f32 = 1.0507009873554805;
export let seluAlpha: f32 = 1.7580993408473768;

/** 1 - polynomial(t) exp(-x^2), given the exponential, with the sign of x. */
// @ts-ignore: decorator
@inline
function erf(x: v128, e: v128): v128 {
  const one = f32x4.splat(1);
  const t = f32x4.div(one, f32x4.add(one, f32x4.mul(f32x4.splat(erfP), f32x4.abs(x))));
  let p = f32x4.add(f32x4.mul(f32x4.splat(erf5), t), f32x4.splat(erf4));
  p = f32x4.add(f32x4.mul(p, t), f32x4.splat(erf3));
  p = f32x4.add(f32x4.mul(p, t), f32x4.splat(erf2));
  p = f32x4.add(f32x4.mul(p, t), f32x4.splat(erf1));
  return signed(f32x4.sub(one, f32x4.mul(f32x4.mul(p, t), e)), x);
}

/** y with the sign of x; a NaN of x stays. */
// @ts-ignore: decorator
@inline
function signed(y: v128, x: v128): v128 {
  return v128.bitselect(x, y, v128.or(i32x4.splat(0x80000000), f32x4.ne(x, x)));
}

/** log(1 + x) from u = 1 + x and its logarithm: the error of the sum is undone by what it does to x. */
// @ts-ignore: decorator
@inline
function log1p(x: v128, u: v128, logarithm: v128): v128 {
  const one = f32x4.splat(1);
  const infinity = f32x4.splat(Infinity);
  const y = f32x4.mul(logarithm, f32x4.div(x, f32x4.sub(u, one)));
  const edge = v128.bitselect(f32x4.neg(infinity), y, f32x4.eq(u, f32x4.splat(0)));
  return v128.bitselect(x, edge, v128.or(f32x4.eq(u, one), f32x4.eq(u, infinity)));
}

/** A NaN has the sign 0, as in tfjs. */
// @ts-ignore: decorator
@inline
function signOf(x: v128): v128 {
  const zero = f32x4.splat(0);
  const one = f32x4.splat(1);
  return f32x4.sub(v128.and(f32x4.gt(x, zero), one), v128.and(f32x4.lt(x, zero), one));
}

// @ts-ignore: decorator
@inline
function step(x: v128, alpha: v128): v128 {
  const y = v128.bitselect(f32x4.splat(1), alpha, f32x4.gt(x, f32x4.splat(0)));
  return v128.bitselect(y, x, f32x4.eq(x, x));
}

// @ts-ignore: decorator
@inline
function rest(x: usize, count: usize): v128 {
  let v = v128.load32_zero(x);
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

// @ts-ignore: decorator
@inline
function one(kind: i32, x: v128, alpha: v128, most: v128, mLeast: v128, eLeast: v128, eMost: v128, eLog2e: v128, eMagic: v128, eHigh: v128, eLow: v128, e6: v128, e5: v128, e4: v128, e3: v128, e2: v128, lNormal: v128, lRaise: v128, lRaised: v128, lInfinite: v128, lRoot: v128, lMantissa: v128, l8: v128, l7: v128, l6: v128, l5: v128, l4: v128, l3: v128, l2: v128, l1: v128, l0: v128): v128 {
  const zero = f32x4.splat(0);
  const sign = i32x4.splat(0x80000000);
  if (kind == EXP) return exp(x, eLeast, eMost, eLog2e, eMagic, eHigh, eLow, e6, e5, e4, e3, e2);
  if (kind == EXPM1) return expm1(x, mLeast, eMost, eLog2e, eMagic, eHigh, eLow, e6, e5, e4, e3, e2);
  if (kind == LOG) return log(x, lNormal, lRaise, lRaised, lInfinite, lRoot, lMantissa, eHigh, eLow, l8, l7, l6, l5, l4, l3, l2, l1, l0);
  if (kind == LOG1P) {
    const u = f32x4.add(f32x4.splat(1), x);
    return log1p(x, u, log(u, lNormal, lRaise, lRaised, lInfinite, lRoot, lMantissa, eHigh, eLow, l8, l7, l6, l5, l4, l3, l2, l1, l0));
  }
  if (kind == TANH) {
    // t / (t + 2) with t = exp(2 |x|) - 1, and the sign of x.
    const magnitude = f32x4.pmin(f32x4.abs(x), f32x4.splat(10));
    const t = expm1(f32x4.add(magnitude, magnitude), mLeast, eMost, eLog2e, eMagic, eHigh, eLow, e6, e5, e4, e3, e2);
    return signed(f32x4.div(t, f32x4.add(t, f32x4.splat(2))), x);
  }
  if (kind == SELU) {
    const negative = f32x4.mul(f32x4.splat(seluAlpha), expm1(x, mLeast, eMost, eLog2e, eMagic, eHigh, eLow, e6, e5, e4, e3, e2));
    return v128.bitselect(f32x4.mul(f32x4.splat(seluScale), x), negative, f32x4.ge(x, zero));
  }
  if (kind == SOFTPLUS) {
    // max(x, 0) + log(1 + exp(-|x|))
    const e = exp(v128.or(x, sign), eLeast, eMost, eLog2e, eMagic, eHigh, eLow, e6, e5, e4, e3, e2);
    const u = f32x4.add(f32x4.splat(1), e);
    return f32x4.add(f32x4.max(x, zero), log1p(e, u, log(u, lNormal, lRaise, lRaised, lInfinite, lRoot, lMantissa, eHigh, eLow, l8, l7, l6, l5, l4, l3, l2, l1, l0)));
  }
  if (kind == ERF) return erf(x, exp(f32x4.neg(f32x4.mul(x, x)), eLeast, eMost, eLog2e, eMagic, eHigh, eLow, e6, e5, e4, e3, e2));
  if (kind == SQRT) return f32x4.sqrt(x);
  if (kind == RSQRT) return f32x4.div(f32x4.splat(1), f32x4.sqrt(x));
  if (kind == RECIPROCAL) return f32x4.div(f32x4.splat(1), x);
  if (kind == SIGN_OF) return signOf(x);
  if (kind == LEAKY_RELU) return v128.bitselect(f32x4.mul(x, alpha), x, f32x4.lt(x, zero));
  if (kind == STEP) return step(x, alpha);
  // A NaN comes through.
  return f32x4.min(f32x4.max(x, alpha), most);
}

// @ts-ignore: decorator
@inline
function loop(kind: i32, x: usize, y: usize, n: usize, alpha: v128, most: v128): void {
  const mLeast = f32x4.splat(expm1Least);
  const eLeast = f32x4.splat(expLeast);
  const eMost = f32x4.splat(expMost);
  const eLog2e = f32x4.splat(log2e);
  const eMagic = f32x4.splat(magic);
  const eHigh = f32x4.splat(ln2High);
  const eLow = f32x4.splat(ln2Low);
  const e6 = f32x4.splat(exp6);
  const e5 = f32x4.splat(exp5);
  const e4 = f32x4.splat(exp4);
  const e3 = f32x4.splat(exp3);
  const e2 = f32x4.splat(exp2);
  const lNormal = f32x4.splat(leastNormal);
  const lRaise = f32x4.splat(raise);
  const lRaised = f32x4.splat(raised);
  const lInfinite = f32x4.splat(infinite);
  const lRoot = i32x4.splat(rootHalf);
  const lMantissa = i32x4.splat(mantissa);
  const l8 = f32x4.splat(log8);
  const l7 = f32x4.splat(log7);
  const l6 = f32x4.splat(log6);
  const l5 = f32x4.splat(log5);
  const l4 = f32x4.splat(log4);
  const l3 = f32x4.splat(log3);
  const l2 = f32x4.splat(log2);
  const l1 = f32x4.splat(log1);
  const l0 = f32x4.splat(log0);
  const end = x + (n & ~3) * 4;
  while (x < end) {
    v128.store(y, one(kind, v128.load(x), alpha, most, mLeast, eLeast, eMost, eLog2e, eMagic, eHigh, eLow, e6, e5, e4, e3, e2, lNormal, lRaise, lRaised, lInfinite, lRoot, lMantissa, l8, l7, l6, l5, l4, l3, l2, l1, l0));
    x += 16;
    y += 16;
  }
  n &= 3;
  if (n != 0) storeRest(y, one(kind, rest(x, n), alpha, most, mLeast, eLeast, eMost, eLog2e, eMagic, eHigh, eLow, e6, e5, e4, e3, e2, lNormal, lRaise, lRaised, lInfinite, lRoot, lMantissa, l8, l7, l6, l5, l4, l3, l2, l1, l0), n);
}

/** y = f(x) of `n` floats; in place too. `alpha` is the parameter of leaky relu and of step, and the least of clip; `most` is clip's. */
export function map(kind: i32, x: usize, y: usize, n: usize, alpha: f32, most: f32): void {
  const a = f32x4.splat(alpha);
  const b = f32x4.splat(most);
  if (kind == EXP) loop(EXP, x, y, n, a, b);
  else if (kind == EXPM1) loop(EXPM1, x, y, n, a, b);
  else if (kind == LOG) loop(LOG, x, y, n, a, b);
  else if (kind == LOG1P) loop(LOG1P, x, y, n, a, b);
  else if (kind == TANH) loop(TANH, x, y, n, a, b);
  else if (kind == SELU) loop(SELU, x, y, n, a, b);
  else if (kind == SOFTPLUS) loop(SOFTPLUS, x, y, n, a, b);
  else if (kind == ERF) loop(ERF, x, y, n, a, b);
  else if (kind == SQRT) loop(SQRT, x, y, n, a, b);
  else if (kind == RSQRT) loop(RSQRT, x, y, n, a, b);
  else if (kind == RECIPROCAL) loop(RECIPROCAL, x, y, n, a, b);
  else if (kind == SIGN_OF) loop(SIGN_OF, x, y, n, a, b);
  else if (kind == LEAKY_RELU) loop(LEAKY_RELU, x, y, n, a, b);
  else if (kind == STEP) loop(STEP, x, y, n, a, b);
  else loop(CLIP, x, y, n, a, b);
}

/** dx of elu, from its result: dy where y >= 0, else dy (y + 1). */
export function eluGradient(dy: usize, y: usize, dx: usize, n: usize): void {
  const end = y + (n & ~3) * 4;
  for (; y < end; y += 16) {
    const v = v128.load(y);
    const g = v128.load(dy);
    v128.store(dx, v128.bitselect(g, f32x4.mul(g, f32x4.add(v, f32x4.splat(1))), f32x4.ge(v, f32x4.splat(0))));
    dy += 16;
    dx += 16;
  }
  n &= 3;
  if (n == 0) return;
  const v = rest(y, n);
  const g = rest(dy, n);
  storeRest(dx, v128.bitselect(g, f32x4.mul(g, f32x4.add(v, f32x4.splat(1))), f32x4.ge(v, f32x4.splat(0))), n);
}
