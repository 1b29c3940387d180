// Mean and variance of [outer, count, inner] over its middle axis, float32, reading memory once.
//
// Rows (inner = 1) are read twice, the second time out of L1. Columns are summed shifted by their first value, so that a large mean does not
// swallow the variance; float32 within a block of rows, float64 across blocks.

// @ts-ignore: decorator
@inline
function total(v: v128): f32 {
  const pairs = f32x4.add(v, v128.shuffle<f32>(v, v, 2, 3, 0, 1));
  return f32x4.extract_lane(pairs, 0) + f32x4.extract_lane(pairs, 1);
}

function sumOf(x: usize, n: usize, shift: f32): f64 {
  const s = f32x4.splat(shift);
  let sum: f64 = 0;
  const end = x + n * 4;
  while (x < end) {
    // Blocks, whose sums are added in float64.
    const last = x + 4096 < end ? x + 4096 : end;
    let a = f32x4.splat(0);
    let b = a;
    for (; x + 32 <= last; x += 32) {
      a = f32x4.add(a, f32x4.sub(v128.load(x), s));
      b = f32x4.add(b, f32x4.sub(v128.load(x, 16), s));
    }
    sum += total(f32x4.add(a, b));
    for (; x < last; x += 4) sum += load<f32>(x) - shift;
  }
  return sum;
}

function squaresOf(x: usize, n: usize, mean: f32): f64 {
  const m = f32x4.splat(mean);
  let sum: f64 = 0;
  const end = x + n * 4;
  while (x < end) {
    const last = x + 4096 < end ? x + 4096 : end;
    let a = f32x4.splat(0);
    let b = a;
    for (; x + 32 <= last; x += 32) {
      const p = f32x4.sub(v128.load(x), m);
      const q = f32x4.sub(v128.load(x, 16), m);
      a = f32x4.add(a, f32x4.mul(p, p));
      b = f32x4.add(b, f32x4.mul(q, q));
    }
    sum += total(f32x4.add(a, b));
    for (; x < last; x += 4) {
      const p = load<f32>(x) - mean;
      sum += p * p;
    }
  }
  return sum;
}

/** Rows: mean and variance of each of `rows` rows of n. */
export function rows(x: usize, mean: usize, variance: usize, count: usize, n: usize): void {
  for (let r: usize = 0; r < count; r++) {
    const first = load<f32>(x);
    const m = <f32>(<f64>first + sumOf(x, n, first) / <f64>n);
    store<f32>(mean, m);
    store<f32>(variance, <f32>(squaresOf(x, n, m) / <f64>n));
    mean += 4;
    variance += 4;
    x += n * 4;
  }
}

/** Rows of a block. */
const BLOCK: usize = 64;

/**
 * Columns: of each of `outer` matrices [n, inner] the mean and variance of every column. `sums` is scratch of 2 inner float64, zeroed here; `mean`
 * and `variance` serve as scratch too.
 */
export function columns(x: usize, mean: usize, variance: usize, outer: usize, n: usize, inner: usize, sums: usize): void {
  const pitch = inner * 4;
  for (let o: usize = 0; o < outer; o++) {
    memory.fill(sums, 0, inner * 16);
    for (let first: usize = 0; first < n; first += BLOCK) {
      const count = n - first < BLOCK ? n - first : BLOCK;
      const block = x + first * pitch;
      let c: usize = 0;
      for (; c + 16 <= pitch; c += 16) {
        const shift = v128.load(x + c);
        let a = f32x4.splat(0);
        let b = a;
        let p = block + c;
        for (let r: usize = 0; r < count; r++) {
          const v = f32x4.sub(v128.load(p), shift);
          a = f32x4.add(a, v);
          b = f32x4.add(b, f32x4.mul(v, v));
          p += pitch;
        }
        v128.store(mean + c, a);
        v128.store(variance + c, b);
      }
      for (; c < pitch; c += 4) {
        const shift = load<f32>(x + c);
        let a: f32 = 0;
        let b: f32 = 0;
        for (let r: usize = 0; r < count; r++) {
          const v = load<f32>(block + c + r * pitch) - shift;
          a += v;
          b += v * v;
        }
        store<f32>(mean + c, a);
        store<f32>(variance + c, b);
      }
      for (c = 0; c < pitch; c += 4) {
        store<f64>(sums + c * 4, load<f64>(sums + c * 4) + <f64>load<f32>(mean + c));
        store<f64>(sums + c * 4, load<f64>(sums + c * 4, 8) + <f64>load<f32>(variance + c), 8);
      }
    }
    for (let c: usize = 0; c < pitch; c += 4) {
      const shifted = load<f64>(sums + c * 4) / <f64>n;
      const square = load<f64>(sums + c * 4, 8) / <f64>n - shifted * shifted;
      store<f32>(mean + c, <f32>(<f64>load<f32>(x + c) + shifted));
      store<f32>(variance + c, <f32>(square < 0 ? 0 : square));
    }
    x += n * pitch;
    mean += pitch;
    variance += pitch;
  }
}

/** y[r] = the square root of the sum of squares of row r, which is scaled where squares would overflow or vanish. */
export function norms(x: usize, y: usize, count: usize, n: usize): void {
  for (let r: usize = 0; r < count; r++) {
    let sum = squaresOf(x, n, 0);
    if (!(sum > 1e-20 && sum < 1e35)) {
      sum = 0;
      for (let i: usize = 0; i < n; i++) {
        const v = <f64>load<f32>(x + i * 4);
        sum += v * v;
      }
    }
    store<f32>(y, <f32>sqrt(sum));
    x += n * 4;
    y += 4;
  }
}
