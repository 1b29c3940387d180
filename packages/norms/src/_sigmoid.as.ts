// Exponential and sigmoid of four float32 at once. Their constants come from globals, once, before a loop: newer V8 builds a literal vector anew at each use
// within one. They are exported and mutable, so that nobody folds them: a module that uses them exports all of this file again.

/** Minus the base-2 logarithm of e. */
export let minusLog2e: f32 = -1.44269504;
/** 2^126 and 2^-126 are the outermost powers that this file makes; there sigmoid is 0 or 1 to the last bit. */
export let outermost: f32 = 126;
/** 1.5 * 2^23 + 127: what is added to it is rounded to an integer, whose bits, as an exponent, are then the lowest of the sum. */
export let magic: f32 = 12583039;
/** (2^f - 1) / f on [-1/2, 1/2], of least relative error of the power: 1e-7. */
export let power5: f32 = 0.001326467277;
export let power4: f32 = 0.009671555260;
export let power3: f32 = 0.05550734259;
export let power2: f32 = 0.2402224143;
export let power1: f32 = 0.6931469771;

/** exp(-t) for `scale` minusLog2e, bounded by the outermost powers; NaN of NaN. */
// @ts-ignore: decorator
@inline
export function power(t: v128, scale: v128, least: v128, most: v128, round: v128, c5: v128, c4: v128, c3: v128, c2: v128, c1: v128): v128 {
  // pmin and pmax give their first argument where it is NaN.
  const y = f32x4.pmax(f32x4.pmin(f32x4.mul(t, scale), most), least);
  const shifted = f32x4.add(y, round);
  const f = f32x4.sub(y, f32x4.sub(shifted, round));
  const whole = i32x4.shl(shifted, 23);
  let p = f32x4.add(f32x4.mul(c5, f), c4);
  p = f32x4.add(f32x4.mul(p, f), c3);
  p = f32x4.add(f32x4.mul(p, f), c2);
  p = f32x4.add(f32x4.mul(p, f), c1);
  return f32x4.add(f32x4.mul(p, f32x4.mul(f, whole)), whole);
}

/** 1 / (1 + exp(-t)), and NaN of NaN. */
// @ts-ignore: decorator
@inline
export function sigmoid(t: v128, one: v128, scale: v128, least: v128, most: v128, round: v128, c5: v128, c4: v128, c3: v128, c2: v128, c1: v128): v128 {
  return f32x4.div(one, f32x4.add(one, power(t, scale, least, most, round, c5, c4, c3, c2, c1)));
}
