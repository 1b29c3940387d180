// Compressed root-mean-square normalization, row by row: both sums, then the result, while the row is in the L1 cache.
import { add, PIECE } from '../_rows.as';
import { lanes, min } from '../_simd.as';

/** What the functions below find. */
let ofX: f64 = 0;
let ofXX: f64 = 0;
let ofGX: f64 = 0;

/** Sums of x and x^2. */
function sums(x: usize, bytes: usize): void {
  ofX = 0;
  ofXX = 0;
  for (const end = x + bytes; x < end;) {
    const stop = x + min(PIECE, end - x);
    let a = f32x4.splat(0);
    let b = f32x4.splat(0);
    let p = f32x4.splat(0);
    let q = f32x4.splat(0);
    for (; x + 32 <= stop; x += 32) {
      const c = v128.load(x);
      a = f32x4.add(a, c);
      p = f32x4.add(p, f32x4.mul(c, c));
      const d = v128.load(x, 16);
      b = f32x4.add(b, d);
      q = f32x4.add(q, f32x4.mul(d, d));
    }
    let sum = lanes(f32x4.add(a, b));
    let squares = lanes(f32x4.add(p, q));
    for (; x < stop; x += 4) {
      const c = load<f32>(x);
      sum += c;
      squares += c * c;
    }
    ofX += <f64>sum;
    ofXX += <f64>squares;
  }
}

/** The same, and the sum of dy x. */
function gradientSums(x: usize, dy: usize, bytes: usize): void {
  ofX = 0;
  ofXX = 0;
  ofGX = 0;
  for (const end = x + bytes; x < end;) {
    const stop = x + min(PIECE, end - x);
    let a = f32x4.splat(0);
    let b = f32x4.splat(0);
    let p = f32x4.splat(0);
    let q = f32x4.splat(0);
    let g = f32x4.splat(0);
    let h = f32x4.splat(0);
    for (; x + 32 <= stop; x += 32) {
      const c = v128.load(x);
      a = f32x4.add(a, c);
      p = f32x4.add(p, f32x4.mul(c, c));
      g = f32x4.add(g, f32x4.mul(c, v128.load(dy)));
      const d = v128.load(x, 16);
      b = f32x4.add(b, d);
      q = f32x4.add(q, f32x4.mul(d, d));
      h = f32x4.add(h, f32x4.mul(d, v128.load(dy, 16)));
      dy += 32;
    }
    let sum = lanes(f32x4.add(a, b));
    let squares = lanes(f32x4.add(p, q));
    let products = lanes(f32x4.add(g, h));
    for (; x < stop; x += 4) {
      const c = load<f32>(x);
      sum += c;
      squares += c * c;
      products += c * load<f32>(dy);
      dy += 4;
    }
    ofX += <f64>sum;
    ofXX += <f64>squares;
    ofGX += <f64>products;
  }
}

/** 1 / sqrt((sum(x^2) + sum(x)^2) / d + epsilon) of the sums. */
function factorOf(d: f64, epsilon: f32): f32 {
  return 1 / sqrt<f32>(<f32>((ofXX + ofX * ofX) / d) + epsilon);
}

/** y = x r of one row. */
function scale(x: usize, y: usize, bytes: usize, r: f32): void {
  const factor = f32x4.splat(r);
  const end = x + bytes;
  for (; x + 64 <= end; x += 64) {
    v128.store(y, f32x4.mul(v128.load(x), factor));
    v128.store(y, f32x4.mul(v128.load(x, 16), factor), 16);
    v128.store(y, f32x4.mul(v128.load(x, 32), factor), 32);
    v128.store(y, f32x4.mul(v128.load(x, 48), factor), 48);
    y += 64;
  }
  for (; x + 16 <= end; x += 16) {
    v128.store(y, f32x4.mul(v128.load(x), factor));
    y += 16;
  }
  for (; x < end; x += 4) {
    store<f32>(y, load<f32>(x) * r);
    y += 4;
  }
}

/** y = x / sqrt((sum(x^2) + sum(x)^2) / d + epsilon) for every row of `width`. */
export function forward(x: usize, y: usize, rows: usize, width: usize, d: f64, epsilon: f32): void {
  const bytes = width << 2;
  for (; rows > 0; rows--) {
    sums(x, bytes);
    scale(x, y, bytes, factorOf(d, epsilon));
    x += bytes;
    y += bytes;
  }
}

/** sum = x + residual, y as in `forward` of the sum. */
export function addForward(x: usize, residual: usize, y: usize, sum: usize, rows: usize, width: usize, d: f64, epsilon: f32): void {
  const bytes = width << 2;
  for (; rows > 0; rows--) {
    add(x, residual, sum, bytes);
    forward(sum, y, 1, width, d, epsilon);
    x += bytes;
    residual += bytes;
    sum += bytes;
    y += bytes;
  }
}

/** dx = dy r + x slope + offset of one row. */
function spread(x: usize, dy: usize, dx: usize, bytes: usize, r: f32, slope: f32, offset: f32): void {
  const factor = f32x4.splat(r);
  const a = f32x4.splat(slope);
  const b = f32x4.splat(offset);
  const end = x + bytes;
  for (; x + 32 <= end; x += 32) {
    v128.store(dx, f32x4.add(f32x4.mul(v128.load(dy), factor), f32x4.add(f32x4.mul(v128.load(x), a), b)));
    v128.store(dx, f32x4.add(f32x4.mul(v128.load(dy, 16), factor), f32x4.add(f32x4.mul(v128.load(x, 16), a), b)), 16);
    dy += 32;
    dx += 32;
  }
  for (; x < end; x += 4) {
    store<f32>(dx, load<f32>(dy) * r + (load<f32>(x) * slope + offset));
    dy += 4;
    dx += 4;
  }
}

/** dx = r dy - r^3 / d sum(dy x) (x + sum(x)) + dsum. `dsum` may be 0. */
export function gradient(x: usize, dy: usize, dsum: usize, dx: usize, rows: usize, width: usize, d: f64, epsilon: f32): void {
  const bytes = width << 2;
  for (; rows > 0; rows--) {
    gradientSums(x, dy, bytes);
    const r = factorOf(d, epsilon);
    const slope = -r * r * (<f32>(ofGX / d) * r);
    spread(x, dy, dx, bytes, r, slope, slope * <f32>ofX);
    if (dsum != 0) {
      add(dx, dsum, dx, bytes);
      dsum += bytes;
    }
    x += bytes;
    dy += bytes;
    dx += bytes;
  }
}
