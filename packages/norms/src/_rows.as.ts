// Statistics of one row, which the caller reads again at once: it stays in the L1 cache. Four accumulators hide the latency of an addition.
// Long rows are summed in pieces, float32 within a piece and float64 across pieces, so that a sum of a million values is as good as a short one.
import { lanes, min } from './_simd.as';

/** Bytes of a piece: 2048 float32, 128 additions to a lane of an accumulator. */
export const PIECE: usize = 8192;

/** Sum of x. */
export function sumOf(x: usize, bytes: usize): f64 {
  let total: f64 = 0;
  for (const end = x + bytes; x < end;) {
    const stop = x + min(PIECE, end - x);
    let a = f32x4.splat(0);
    let b = f32x4.splat(0);
    let c = f32x4.splat(0);
    let d = f32x4.splat(0);
    for (; x + 64 <= stop; x += 64) {
      a = f32x4.add(a, v128.load(x));
      b = f32x4.add(b, v128.load(x, 16));
      c = f32x4.add(c, v128.load(x, 32));
      d = f32x4.add(d, v128.load(x, 48));
    }
    for (; x + 16 <= stop; x += 16) a = f32x4.add(a, v128.load(x));
    let sum = lanes(f32x4.add(f32x4.add(a, b), f32x4.add(c, d)));
    for (; x < stop; x += 4) sum += load<f32>(x);
    total += <f64>sum;
  }
  return total;
}

/** Sum of (x - mean)^2. */
export function squaresOf(x: usize, bytes: usize, mean: f32): f64 {
  const m = f32x4.splat(mean);
  let total: f64 = 0;
  for (const end = x + bytes; x < end;) {
    const stop = x + min(PIECE, end - x);
    let a = f32x4.splat(0);
    let b = f32x4.splat(0);
    let c = f32x4.splat(0);
    let d = f32x4.splat(0);
    for (; x + 64 <= stop; x += 64) {
      const p = f32x4.sub(v128.load(x), m);
      const q = f32x4.sub(v128.load(x, 16), m);
      const r = f32x4.sub(v128.load(x, 32), m);
      const s = f32x4.sub(v128.load(x, 48), m);
      a = f32x4.add(a, f32x4.mul(p, p));
      b = f32x4.add(b, f32x4.mul(q, q));
      c = f32x4.add(c, f32x4.mul(r, r));
      d = f32x4.add(d, f32x4.mul(s, s));
    }
    for (; x + 16 <= stop; x += 16) {
      const p = f32x4.sub(v128.load(x), m);
      a = f32x4.add(a, f32x4.mul(p, p));
    }
    let sum = lanes(f32x4.add(f32x4.add(a, b), f32x4.add(c, d)));
    for (; x < stop; x += 4) {
      const p = load<f32>(x) - mean;
      sum += p * p;
    }
    total += <f64>sum;
  }
  return total;
}

/** y = (x - mean) r gamma + beta of one row. */
export function standardize(x: usize, gamma: usize, beta: usize, y: usize, bytes: usize, mean: f32, r: f32): void {
  const m = f32x4.splat(mean);
  const scale = f32x4.splat(r);
  const end = x + bytes;
  for (; x + 64 <= end; x += 64) {
    const p = f32x4.mul(f32x4.mul(f32x4.sub(v128.load(x), m), scale), v128.load(gamma));
    const q = f32x4.mul(f32x4.mul(f32x4.sub(v128.load(x, 16), m), scale), v128.load(gamma, 16));
    v128.store(y, f32x4.add(p, v128.load(beta)));
    v128.store(y, f32x4.add(q, v128.load(beta, 16)), 16);
    const s = f32x4.mul(f32x4.mul(f32x4.sub(v128.load(x, 32), m), scale), v128.load(gamma, 32));
    const t = f32x4.mul(f32x4.mul(f32x4.sub(v128.load(x, 48), m), scale), v128.load(gamma, 48));
    v128.store(y, f32x4.add(s, v128.load(beta, 32)), 32);
    v128.store(y, f32x4.add(t, v128.load(beta, 48)), 48);
    gamma += 64;
    beta += 64;
    y += 64;
  }
  for (; x + 16 <= end; x += 16) {
    const p = f32x4.mul(f32x4.mul(f32x4.sub(v128.load(x), m), scale), v128.load(gamma));
    v128.store(y, f32x4.add(p, v128.load(beta)));
    gamma += 16;
    beta += 16;
    y += 16;
  }
  for (; x < end; x += 4) {
    store<f32>(y, (load<f32>(x) - mean) * r * load<f32>(gamma) + load<f32>(beta));
    gamma += 4;
    beta += 4;
    y += 4;
  }
}

/** sum = a + b of one row. */
export function add(a: usize, b: usize, sum: usize, bytes: usize): void {
  const end = a + bytes;
  for (; a + 16 <= end; a += 16) {
    v128.store(sum, f32x4.add(v128.load(a), v128.load(b)));
    b += 16;
    sum += 16;
  }
  for (; a < end; a += 4) {
    store<f32>(sum, load<f32>(a) + load<f32>(b));
    b += 4;
    sum += 4;
  }
}

/** What `squareSums` finds. */
export let ofXX: f64 = 0;
export let ofGX: f64 = 0;

/** Sums of x^2 and of g x with g = dy gamma. */
export function squareSums(x: usize, dy: usize, gamma: usize, bytes: usize): void {
  ofXX = 0;
  ofGX = 0;
  for (const end = x + bytes; x < end;) {
    const stop = x + min(PIECE, end - x);
    let a = f32x4.splat(0);
    let b = f32x4.splat(0);
    let p = f32x4.splat(0);
    let q = f32x4.splat(0);
    for (; x + 32 <= stop; x += 32) {
      const c = v128.load(x);
      a = f32x4.add(a, f32x4.mul(c, c));
      p = f32x4.add(p, f32x4.mul(c, f32x4.mul(v128.load(dy), v128.load(gamma))));
      const d = v128.load(x, 16);
      b = f32x4.add(b, f32x4.mul(d, d));
      q = f32x4.add(q, f32x4.mul(d, f32x4.mul(v128.load(dy, 16), v128.load(gamma, 16))));
      dy += 32;
      gamma += 32;
    }
    let sumXX = lanes(f32x4.add(a, b));
    let sumGX = lanes(f32x4.add(p, q));
    for (; x < stop; x += 4) {
      const c = load<f32>(x);
      sumXX += c * c;
      sumGX += c * (load<f32>(dy) * load<f32>(gamma));
      dy += 4;
      gamma += 4;
    }
    ofXX += <f64>sumXX;
    ofGX += <f64>sumGX;
  }
}
