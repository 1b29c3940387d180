// Addresses and sizes, no allocation, no static data. A row is read twice, while it is in the cache.

/** Sum of the four lanes. */
function lanes(v: v128): f32 {
  return f32x4.extract_lane(v, 0) + f32x4.extract_lane(v, 1) + f32x4.extract_lane(v, 2) + f32x4.extract_lane(v, 3);
}

/** 1 / sqrt(mean(x^2) + epsilon) of one row. */
function scaleOf(x: usize, width: usize, epsilon: f32): f32 {
  const end = x + (width << 2);
  let squares = f32x4.splat(0);
  for (; x + 16 <= end; x += 16) squares = f32x4.add(squares, f32x4.mul(v128.load(x), v128.load(x)));
  let sum = lanes(squares);
  for (; x < end; x += 4) sum += load<f32>(x) * load<f32>(x);
  return 1 / sqrt<f32>(sum / <f32>width + epsilon);
}

/** y = gamma x r for every row of `width`. */
export function forward(x: usize, gamma: usize, y: usize, rows: usize, width: usize, epsilon: f32): void {
  for (; rows > 0; rows--) {
    const r = scaleOf(x, width, epsilon);
    const end = x + (width << 2);
    let g = gamma;
    for (; x + 16 <= end; x += 16) {
      v128.store(y, f32x4.mul(f32x4.mul(v128.load(x), f32x4.splat(r)), v128.load(g)));
      g += 16;
      y += 16;
    }
    for (; x < end; x += 4) {
      store<f32>(y, load<f32>(x) * r * load<f32>(g));
      g += 4;
      y += 4;
    }
  }
}

// #region gradient
/** dx = r (g - xhat mean(g xhat)) with g = dy gamma, row by row; dgamma = sum of dy xhat. `totals` are `width` float64. */
export function gradient(
  x: usize,
  gamma: usize,
  dy: usize,
  dx: usize,
  dgamma: usize,
  totals: usize,
  rows: usize,
  width: usize,
  epsilon: f32,
): void {
  const bytes = width << 2;
  memory.fill(totals, 0, bytes << 1);
  for (; rows > 0; rows--) {
    const r = scaleOf(x, width, epsilon);
    let products: f32 = 0;
    for (let i: usize = 0; i < bytes; i += 4) products += load<f32>(dy + i) * load<f32>(gamma + i) * load<f32>(x + i);
    const slope = (products / <f32>width) * r * r;
    for (let i: usize = 0; i < bytes; i += 4) {
      const value = load<f32>(x + i);
      const d = load<f32>(dy + i);
      store<f32>(dx + i, r * (d * load<f32>(gamma + i) - value * slope));
      const total = totals + (i << 1);
      store<f64>(total, load<f64>(total) + <f64>(d * value * r));
    }
    x += bytes;
    dy += bytes;
    dx += bytes;
  }
  for (let i: usize = 0; i < bytes; i += 4) store<f32>(dgamma + i, <f32>load<f64>(totals + (i << 1)));
}
// #endregion gradient
