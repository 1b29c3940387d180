// w = a atan(v / b) and its gradients, four float32 at once. Constants come from globals, once, before a loop: newer V8 builds a literal
// vector anew at each use within one. They are exported and mutable, so that nobody folds them.

/** (atan(t) / t - 1) / t^2 on [0, 1] by powers of t^2: a polynomial whose arctangent has a relative error of 1.5e-7 in float32. */
export let c0: f32 = -0.333333224;
export let c1: f32 = 0.199986815;
export let c2: f32 = -0.142570451;
export let c3: f32 = 0.108657591;
export let c4: f32 = -0.0800968185;
export let c5: f32 = 0.0489143208;
export let c6: f32 = -0.0200267471;
export let c7: f32 = 0.00386673887;
export let halfPi: f32 = 1.57079633;
export let unit: f32 = 1;
export let signBit: f32 = -0.0;

/** Vectors whose products are summed in float32 before the sum goes to float64. */
const BLOCK: usize = 1024;

/** |u| or its reciprocal, whichever is at most 1; NaN of NaN. pmin gives its first argument where it is NaN. */
// @ts-ignore: decorator
@inline
function reduced(magnitude: v128, one: v128): v128 {
  return f32x4.pmin(magnitude, f32x4.div(one, magnitude));
}

/** atan(t) for 0 <= t <= 1 and z = t^2. */
// @ts-ignore: decorator
@inline
function arctangent(t: v128, z: v128, k0: v128, k1: v128, k2: v128, k3: v128, k4: v128, k5: v128, k6: v128, k7: v128): v128 {
  let p = f32x4.add(f32x4.mul(k7, z), k6);
  p = f32x4.add(f32x4.mul(p, z), k5);
  p = f32x4.add(f32x4.mul(p, z), k4);
  p = f32x4.add(f32x4.mul(p, z), k3);
  p = f32x4.add(f32x4.mul(p, z), k2);
  p = f32x4.add(f32x4.mul(p, z), k1);
  p = f32x4.add(f32x4.mul(p, z), k0);
  return f32x4.add(t, f32x4.mul(t, f32x4.mul(z, p)));
}

/** w = a atan(v / b) for `count` float32; a and b are addresses of one each. */
export function forward(v: usize, a: usize, b: usize, w: usize, count: usize): void {
  const k0 = f32x4.splat(c0);
  const k1 = f32x4.splat(c1);
  const k2 = f32x4.splat(c2);
  const k3 = f32x4.splat(c3);
  const k4 = f32x4.splat(c4);
  const k5 = f32x4.splat(c5);
  const k6 = f32x4.splat(c6);
  const k7 = f32x4.splat(c7);
  const quarter = f32x4.splat(halfPi);
  const one = f32x4.splat(unit);
  const signs = f32x4.splat(signBit);
  const scale = f32x4.splat(load<f32>(a));
  const width = f32x4.splat(load<f32>(b));
  const end = v + (count << 2);
  while (v < end) {
    const whole = v + 16 <= end;
    const u = f32x4.div(whole ? v128.load(v) : v128.load32_splat(v), width);
    const magnitude = v128.andnot(u, signs);
    const t = reduced(magnitude, one);
    const z = f32x4.mul(t, t);
    const angle = arctangent(t, z, k0, k1, k2, k3, k4, k5, k6, k7);
    const y = v128.bitselect(f32x4.sub(quarter, angle), angle, f32x4.lt(t, magnitude));
    const value = f32x4.mul(scale, v128.or(y, v128.and(u, signs)));
    if (whole) {
      v128.store(w, value);
      v += 16;
      w += 16;
    } else {
      store<f32>(w, f32x4.extract_lane(value, 0));
      v += 4;
      w += 4;
    }
  }
}

/**
 * dv = dy (a / b) / (1 + u^2) with u = v / b; and, where da is not 0, da = sum dy atan(u), db = -(a / b) sum dy u / (1 + u^2). With t = min(|u|, 1 / |u|)
 * u / (1 + u^2) is t / (1 + t^2) on either side of 1, so that nothing overflows.
 */
export function gradient(v: usize, a: usize, b: usize, dy: usize, dv: usize, da: usize, db: usize, count: usize): void {
  const k0 = f32x4.splat(c0);
  const k1 = f32x4.splat(c1);
  const k2 = f32x4.splat(c2);
  const k3 = f32x4.splat(c3);
  const k4 = f32x4.splat(c4);
  const k5 = f32x4.splat(c5);
  const k6 = f32x4.splat(c6);
  const k7 = f32x4.splat(c7);
  const quarter = f32x4.splat(halfPi);
  const one = f32x4.splat(unit);
  const signs = f32x4.splat(signBit);
  const ratio = load<f32>(a) / load<f32>(b);
  const slope = f32x4.splat(ratio);
  const width = f32x4.splat(load<f32>(b));
  const end = v + (count << 2);
  let ofAngles: f64 = 0;
  let ofSlopes: f64 = 0;
  while (v < end) {
    let angles = f32x4.splat(0);
    let slopes = f32x4.splat(0);
    for (let left = BLOCK; left > 0 && v < end; left--) {
      const whole = v + 16 <= end;
      const u = f32x4.div(whole ? v128.load(v) : v128.load32_splat(v), width);
      const g = whole ? v128.load(dy) : v128.load32_splat(dy);
      const magnitude = v128.andnot(u, signs);
      const t = reduced(magnitude, one);
      const z = f32x4.mul(t, t);
      const large = f32x4.lt(t, magnitude);
      const r = f32x4.div(one, f32x4.add(one, z));
      const value = f32x4.mul(f32x4.mul(g, slope), v128.bitselect(f32x4.mul(z, r), r, large));
      if (whole) {
        v128.store(dv, value);
      } else {
        store<f32>(dv, f32x4.extract_lane(value, 0));
      }
      if (da != 0) {
        const sign = v128.and(u, signs);
        const angle = arctangent(t, z, k0, k1, k2, k3, k4, k5, k6, k7);
        const y = v128.or(v128.bitselect(f32x4.sub(quarter, angle), angle, large), sign);
        const ofAngle = f32x4.mul(g, y);
        const ofSlope = f32x4.mul(g, v128.or(f32x4.mul(t, r), sign));
        if (whole) {
          angles = f32x4.add(angles, ofAngle);
          slopes = f32x4.add(slopes, ofSlope);
        } else {
          ofAngles += <f64>f32x4.extract_lane(ofAngle, 0);
          ofSlopes += <f64>f32x4.extract_lane(ofSlope, 0);
        }
      }
      const step: usize = whole ? 16 : 4;
      v += step;
      dy += step;
      dv += step;
    }
    ofAngles += <f64>lanes(angles);
    ofSlopes += <f64>lanes(slopes);
  }
  if (da != 0) {
    store<f32>(da, <f32>ofAngles);
    store<f32>(db, <f32>(-ofSlopes * <f64>ratio));
  }
}

/** Sum of the four lanes. */
function lanes(v: v128): f32 {
  return f32x4.extract_lane(v, 0) + f32x4.extract_lane(v, 1) + (f32x4.extract_lane(v, 2) + f32x4.extract_lane(v, 3));
}
