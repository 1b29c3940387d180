// Activations behind a norm, of a piece that is still in the L1 cache, and their slopes. Values come four at a time; what is left over goes
// through the same vector code, so that a value's result does not depend on its place.
import { magic, minusLog2e, outermost, power, power1, power2, power3, power4, power5, sigmoid } from './_sigmoid.as';
import { min } from './_simd.as';

// As in activation.ts.
const LINEAR: i32 = 0;
const RELU: i32 = 1;
const SILU: i32 = 2;
const GELU: i32 = 3;

/** Bytes that a norm writes before they are activated. */
const PIECE: usize = 8192;

/** The approximation of erf by Abramowitz and Stegun, 7.1.26, to 1.5e-7, as all backends of tfjs have it; p is divided by the root of 2. */
export let erf5: f32 = 1.061405429;
export let erf4: f32 = -1.453152027;
export let erf3: f32 = 1.421413741;
export let erf2: f32 = -0.284496736;
export let erf1: f32 = 0.254829592;
export let erfP: f32 = 0.231641888;
/** 1 / sqrt(2 pi) */
export let density: f32 = 0.3989422804;
/** 2 sqrt(2 / pi), and that times 0.044715: the tanh form of gelu is z sigmoid(z (first + second z^2)). */
export let tanh1: f32 = 1.5957691216;
export let tanh3: f32 = 0.0713548163;
/** Beyond it the tanh form is z or 0, and the cube must not overflow. */
export let far: f32 = 10;

/** How many of `rows` are normalized before they are activated. */
// @ts-ignore: decorator
@inline
export function together(rows: usize, bytes: usize, activation: i32): usize {
  if (activation == LINEAR) return rows;
  const most = PIECE / bytes;
  return most == 0 ? 1 : min(rows, most);
}

/** The normal distribution function of z, given exp(-z^2 / 2). */
// @ts-ignore: decorator
@inline
function distribution(z: v128, e: v128, one: v128, half: v128, p: v128, c5: v128, c4: v128, c3: v128, c2: v128, c1: v128): v128 {
  const t = f32x4.div(one, f32x4.add(one, f32x4.mul(p, f32x4.abs(z))));
  let q = f32x4.add(f32x4.mul(c5, t), c4);
  q = f32x4.add(f32x4.mul(q, t), c3);
  q = f32x4.add(f32x4.mul(q, t), c2);
  q = f32x4.add(f32x4.mul(q, t), c1);
  // The tail beyond |z|: for z below 0 the result, without cancellation.
  const tail = f32x4.mul(f32x4.mul(half, f32x4.mul(q, t)), e);
  return v128.bitselect(tail, f32x4.sub(one, tail), f32x4.lt(z, f32x4.splat(0)));
}

/** f(z), or f'(z). */
// @ts-ignore: decorator
@inline
function one(kind: i32, slope: bool, z: v128, zero: v128, unit: v128, half: v128, log2e: v128, least: v128, most: v128, round: v128, c5: v128, c4: v128, c3: v128, c2: v128, c1: v128, e5: v128, e4: v128, e3: v128, e2: v128, e1: v128, ep: v128, phi: v128, t1: v128, t3: v128, bound: v128): v128 {
  if (kind == RELU) return slope ? v128.and(unit, f32x4.gt(z, zero)) : f32x4.max(z, zero);
  if (kind == SILU) {
    const d = f32x4.add(unit, power(z, log2e, least, most, round, c5, c4, c3, c2, c1));
    if (!slope) return f32x4.div(z, d);
    const s = f32x4.div(unit, d);
    return f32x4.mul(s, f32x4.add(unit, f32x4.mul(z, f32x4.sub(unit, s))));
  }
  if (kind == GELU) {
    const e = power(f32x4.mul(half, f32x4.mul(z, z)), log2e, least, most, round, c5, c4, c3, c2, c1);
    const below = distribution(z, e, unit, half, ep, e5, e4, e3, e2, e1);
    return slope ? f32x4.add(below, f32x4.mul(f32x4.mul(z, phi), e)) : f32x4.mul(z, below);
  }
  const near = f32x4.pmax(f32x4.pmin(z, bound), f32x4.neg(bound));
  const square = f32x4.mul(near, near);
  const s = sigmoid(f32x4.mul(near, f32x4.add(t1, f32x4.mul(t3, square))), unit, log2e, least, most, round, c5, c4, c3, c2, c1);
  if (!slope) return f32x4.mul(z, s);
  const inner = f32x4.mul(near, f32x4.add(t1, f32x4.mul(f32x4.mul(t3, f32x4.splat(3)), square)));
  return f32x4.mul(s, f32x4.add(unit, f32x4.mul(inner, f32x4.sub(unit, s))));
}

/** z = f(z), or dy f'(z). */
// @ts-ignore: decorator
@inline
function loop(kind: i32, slope: bool, at: usize, dy: usize, bytes: usize): void {
  const zero = f32x4.splat(0);
  const unit = f32x4.splat(1);
  const half = f32x4.splat(0.5);
  const log2e = f32x4.splat(minusLog2e);
  const least = f32x4.splat(-outermost);
  const most = f32x4.splat(outermost);
  const round = f32x4.splat(magic);
  const c5 = f32x4.splat(power5);
  const c4 = f32x4.splat(power4);
  const c3 = f32x4.splat(power3);
  const c2 = f32x4.splat(power2);
  const c1 = f32x4.splat(power1);
  const e5 = f32x4.splat(erf5);
  const e4 = f32x4.splat(erf4);
  const e3 = f32x4.splat(erf3);
  const e2 = f32x4.splat(erf2);
  const e1 = f32x4.splat(erf1);
  const ep = f32x4.splat(erfP);
  const phi = f32x4.splat(density);
  const t1 = f32x4.splat(tanh1);
  const t3 = f32x4.splat(tanh3);
  const bound = f32x4.splat(far);
  const end = at + bytes;
  for (; at + 16 <= end; at += 16) {
    const y = one(kind, slope, v128.load(at), zero, unit, half, log2e, least, most, round, c5, c4, c3, c2, c1, e5, e4, e3, e2, e1, ep, phi, t1, t3, bound);
    v128.store(at, slope ? f32x4.mul(y, v128.load(dy)) : y);
    dy += 16;
  }
  for (; at < end; at += 4) {
    const y = one(kind, slope, v128.load32_zero(at), zero, unit, half, log2e, least, most, round, c5, c4, c3, c2, c1, e5, e4, e3, e2, e1, ep, phi, t1, t3, bound);
    store<f32>(at, slope ? f32x4.extract_lane(y, 0) * load<f32>(dy) : f32x4.extract_lane(y, 0));
    dy += 4;
  }
}

/** z = f(z), in place. */
export function activate(z: usize, bytes: usize, activation: i32): void {
  if (activation == LINEAR) return;
  if (activation == RELU) loop(RELU, false, z, 0, bytes);
  else if (activation == SILU) loop(SILU, false, z, 0, bytes);
  else if (activation == GELU) loop(GELU, false, z, 0, bytes);
  else loop(4, false, z, 0, bytes);
}

/** z = dy f'(z), in place. */
export function deactivate(z: usize, dy: usize, bytes: usize, activation: i32): void {
  if (activation == RELU) loop(RELU, true, z, dy, bytes);
  else if (activation == SILU) loop(SILU, true, z, dy, bytes);
  else if (activation == GELU) loop(GELU, true, z, dy, bytes);
  else loop(4, true, z, dy, bytes);
}
