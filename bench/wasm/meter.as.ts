// What one core can do: multiply-adds in registers alone. Twelve accumulators hide the latency; the constants come as arguments, since some
// engines rebuild a literal vector at each use. Two bodies, once and four times unrolled: which one a compiler likes better differs.
// Each step is 12 vectors of 4 lanes, 2 operations a lane: 96 operations.

// @ts-ignore: decorator
@inline
function step(a: v128, m: v128, c: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return f32x4.relaxed_madd(a, m, c);
  return f32x4.add(f32x4.mul(a, m), c);
}

// @ts-ignore: decorator
@inline
function total(a: v128, b: v128, c: v128, d: v128): v128 {
  return f32x4.add(f32x4.add(a, b), f32x4.add(c, d));
}

export function once(steps: i32, factor: f32, summand: f32): f32 {
  const m = f32x4.splat(factor);
  const s = f32x4.splat(summand);
  let a = s, b = s, c = s, d = s, e = s, f = s, g = s, h = s, i = s, j = s, k = s, l = s;
  for (; steps > 0; steps--) {
    a = step(a, m, s);
    b = step(b, m, s);
    c = step(c, m, s);
    d = step(d, m, s);
    e = step(e, m, s);
    f = step(f, m, s);
    g = step(g, m, s);
    h = step(h, m, s);
    i = step(i, m, s);
    j = step(j, m, s);
    k = step(k, m, s);
    l = step(l, m, s);
  }
  const sum = total(total(a, b, c, d), total(e, f, g, h), total(i, j, k, l), s);
  return f32x4.extract_lane(sum, 0);
}

export function unrolled(steps: i32, factor: f32, summand: f32): f32 {
  const m = f32x4.splat(factor);
  const s = f32x4.splat(summand);
  let a = s, b = s, c = s, d = s, e = s, f = s, g = s, h = s, i = s, j = s, k = s, l = s;
  for (; steps > 0; steps -= 4) {
    for (let times = 0; times < 4; times++) {
      a = step(a, m, s);
      b = step(b, m, s);
      c = step(c, m, s);
      d = step(d, m, s);
      e = step(e, m, s);
      f = step(f, m, s);
      g = step(g, m, s);
      h = step(h, m, s);
      i = step(i, m, s);
      j = step(j, m, s);
      k = step(k, m, s);
      l = step(l, m, s);
    }
  }
  const sum = total(total(a, b, c, d), total(e, f, g, h), total(i, j, k, l), s);
  return f32x4.extract_lane(sum, 0);
}
