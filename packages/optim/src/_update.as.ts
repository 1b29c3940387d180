// What the kernels of updates share.

/** The scale of the gradient: 1 where there is none. */
// @ts-ignore: decorator
@inline
export function scaleOf(scale: usize): f32 {
  return scale ? load<f32>(scale) : 1;
}

/** Adam's step before its rate, for four elements. */
// @ts-ignore: decorator
@inline
export function direction(first: v128, second: v128, gradient: v128, ahead: v128, now: v128, spread: v128, epsilon: v128): v128 {
  const numerator = f32x4.add(f32x4.mul(first, ahead), f32x4.mul(gradient, now));
  return f32x4.div(numerator, f32x4.add(f32x4.mul(f32x4.sqrt(second), spread), epsilon));
}
