// The arctangent by a polynomial, since that of WGSL may be off by 4096 units in the last place.

/** |u| or its reciprocal, whichever is at most 1. */
fn reduced(magnitude: f32) -> f32 {
  if (magnitude > 1) {
    return 1 / magnitude;
  }
  return magnitude;
}

/** atan(t) for 0 <= t <= 1. */
fn arctangent(t: f32) -> f32 {
  let z = t * t;
  var p = 0.00386673887 * z - 0.0200267471;
  p = p * z + 0.0489143208;
  p = p * z - 0.0800968185;
  p = p * z + 0.108657591;
  p = p * z - 0.142570451;
  p = p * z + 0.199986815;
  p = p * z - 0.333333224;
  return t + t * (z * p);
}

/** atan(u), of t = reduced(abs(u)). */
fn angle(u: f32, t: f32) -> f32 {
  var y = arctangent(t);
  if (abs(u) > 1) {
    y = 1.57079633 - y;
  }
  return select(y, -y, u < 0);
}
