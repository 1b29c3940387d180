// Statistics of one row, which the caller reads again at once: it stays in the L1 cache. Four accumulators hide the latency of an addition.
import { lanes } from './_simd.as';

/** Sum of x. */
export function sumOf(x: usize, bytes: usize): f32 {
  let a = f32x4.splat(0);
  let b = f32x4.splat(0);
  let c = f32x4.splat(0);
  let d = f32x4.splat(0);
  const end = x + bytes;
  for (const last = x + (bytes & ~63); x < last; x += 64) {
    a = f32x4.add(a, v128.load(x));
    b = f32x4.add(b, v128.load(x, 16));
    c = f32x4.add(c, v128.load(x, 32));
    d = f32x4.add(d, v128.load(x, 48));
  }
  for (; x + 16 <= end; x += 16) a = f32x4.add(a, v128.load(x));
  let sum = lanes(f32x4.add(f32x4.add(a, b), f32x4.add(c, d)));
  for (; x < end; x += 4) sum += load<f32>(x);
  return sum;
}

/** Sum of (x - mean)^2. */
export function squaresOf(x: usize, bytes: usize, mean: f32): f32 {
  const m = f32x4.splat(mean);
  let a = f32x4.splat(0);
  let b = f32x4.splat(0);
  let c = f32x4.splat(0);
  let d = f32x4.splat(0);
  const end = x + bytes;
  for (const last = x + (bytes & ~63); x < last; x += 64) {
    const p = f32x4.sub(v128.load(x), m);
    const q = f32x4.sub(v128.load(x, 16), m);
    const r = f32x4.sub(v128.load(x, 32), m);
    const s = f32x4.sub(v128.load(x, 48), m);
    a = f32x4.add(a, f32x4.mul(p, p));
    b = f32x4.add(b, f32x4.mul(q, q));
    c = f32x4.add(c, f32x4.mul(r, r));
    d = f32x4.add(d, f32x4.mul(s, s));
  }
  for (; x + 16 <= end; x += 16) {
    const p = f32x4.sub(v128.load(x), m);
    a = f32x4.add(a, f32x4.mul(p, p));
  }
  let sum = lanes(f32x4.add(f32x4.add(a, b), f32x4.add(c, d)));
  for (; x < end; x += 4) {
    const p = load<f32>(x) - mean;
    sum += p * p;
  }
  return sum;
}
