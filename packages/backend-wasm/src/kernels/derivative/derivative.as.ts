// dy times the derivative of a function of one number, given its result (tanh, sigmoid) or its argument (the others). In the order in which
// tfjs' formulas of several ops round, so that the values are the same; where the argument is NaN so is the result, as there.

const TANH: i32 = 0;
const SIGMOID: i32 = 1;
const RELU: i32 = 2;
const RELU6: i32 = 3;
const CLIP: i32 = 4;
const SQUARE: i32 = 5;

// @ts-ignore: decorator
@inline
function derivative(kind: i32, dy: v128, v: v128, one: v128, least: v128, most: v128): v128 {
  if (kind == TANH) return f32x4.mul(f32x4.sub(one, f32x4.mul(v, v)), dy);
  if (kind == SIGMOID) return f32x4.mul(dy, f32x4.mul(v, f32x4.sub(one, v)));
  if (kind == CLIP) return v128.and(dy, v128.and(f32x4.ge(v, least), f32x4.le(v, most)));
  if (kind == SQUARE) return f32x4.mul(dy, f32x4.add(v, v));
  let step = v128.and(one, f32x4.gt(v, least));
  if (kind == RELU6) step = v128.and(step, f32x4.le(v, most));
  return f32x4.mul(dy, v128.bitselect(step, v, f32x4.eq(v, v)));
}

// @ts-ignore: decorator
@inline
function loop(kind: i32, dy: usize, v: usize, dx: usize, n: usize, a: f32, b: f32): void {
  const one = f32x4.splat(1);
  const least = f32x4.splat(a);
  const most = f32x4.splat(b);
  const end = dx + n * 4;
  for (; dx + 16 <= end; dx += 16) {
    v128.store(dx, derivative(kind, v128.load(dy), v128.load(v), one, least, most));
    dy += 16;
    v += 16;
  }
  for (; dx < end; dx += 4) {
    v128.store32_lane(dx, derivative(kind, v128.load32_splat(dy), v128.load32_splat(v), one, least, most), 0);
    dy += 4;
    v += 4;
  }
}

/** dx of n numbers. `least` and `most` bound what lets dy pass, of those functions that are cut off. */
export function differentiate(kind: i32, dy: usize, v: usize, dx: usize, n: usize, least: f32, most: f32): void {
  if (kind == TANH) loop(TANH, dy, v, dx, n, least, most);
  else if (kind == SIGMOID) loop(SIGMOID, dy, v, dx, n, least, most);
  else if (kind == RELU) loop(RELU, dy, v, dx, n, least, most);
  else if (kind == RELU6) loop(RELU6, dy, v, dx, n, least, most);
  else if (kind == CLIP) loop(CLIP, dy, v, dx, n, least, most);
  else loop(SQUARE, dy, v, dx, n, least, most);
}
