// Fourier transforms of rows of complex float32, computed in float64: a complex number is one vector.
//
// Lengths that are powers of two go by radix 2. Others are convolutions with a chirp, by transforms of a power of two (Bluestein).

/** (a + bi)(c + di) */
// @ts-ignore: decorator
@inline
function times(x: v128, y: v128): v128 {
  const straight = f64x2.mul(v128.shuffle<f64>(x, x, 0, 0), y);
  const crossed = f64x2.mul(v128.shuffle<f64>(x, x, 1, 1), v128.shuffle<f64>(y, y, 1, 0));
  return f64x2.add(straight, f64x2.mul(crossed, f64x2(-1, 1)));
}

// @ts-ignore: decorator
@inline
function conjugate(x: v128): v128 {
  return f64x2.mul(x, f64x2(1, -1));
}

/** In place, n a power of two; `turns` holds exp(-2 pi i k / n) for k < n / 2. */
function radix2(x: usize, n: usize, turns: usize): void {
  // Elements in the order of their bits reversed.
  let j: usize = 0;
  for (let i: usize = 1; i < n; i++) {
    let bit = n >> 1;
    for (; j & bit; bit >>= 1) j ^= bit;
    j ^= bit;
    if (i < j) {
      const a = v128.load(x + i * 16);
      v128.store(x + i * 16, v128.load(x + j * 16));
      v128.store(x + j * 16, a);
    }
  }
  for (let half: usize = 1; half < n; half <<= 1) {
    const step = (n / (2 * half)) * 16;
    for (let first: usize = 0; first < n; first += 2 * half) {
      let a = x + first * 16;
      let b = a + half * 16;
      let turn = turns;
      for (const end = b; a < end; a += 16) {
        const p = v128.load(a);
        const q = times(v128.load(b), v128.load(turn));
        v128.store(a, f64x2.add(p, q));
        v128.store(b, f64x2.sub(p, q));
        b += 16;
        turn += step;
      }
    }
  }
}

// @ts-ignore: decorator
@inline
function load1(x: usize, inverse: bool): v128 {
  const v = f64x2.promote_low_f32x4(v128.load64_zero(x));
  return inverse ? conjugate(v) : v;
}

// @ts-ignore: decorator
@inline
function store1(y: usize, v: v128, scale: v128, inverse: bool): void {
  const scaled = f64x2.mul(v, scale);
  v128.store64_lane(y, f32x4.demote_f64x2_zero(inverse ? conjugate(scaled) : scaled), 0);
}

/**
 * y = the transform of each of `batch` rows of n complex numbers; the inverse one is divided by n. `m` is the power of two that is computed
 * with, `turns` its m / 2 roots. Where m is not n, `chirp` holds exp(-pi i k^2 / n), and `scratch` 2 m complex float64; else m of them.
 */
export function transform(x: usize, y: usize, batch: usize, n: usize, inverse: bool, m: usize, turns: usize, chirp: usize, scratch: usize): void {
  const scale = inverse ? f64x2.splat(1 / <f64>n) : f64x2.splat(1);
  if (m == n) {
    for (let row: usize = 0; row < batch; row++) {
      for (let k: usize = 0; k < n; k++) v128.store(scratch + k * 16, load1(x + k * 8, inverse));
      radix2(scratch, n, turns);
      for (let k: usize = 0; k < n; k++) store1(y + k * 8, v128.load(scratch + k * 16), scale, inverse);
      x += n * 8;
      y += n * 8;
    }
    return;
  }
  // The transform of the chirp's conjugate, which runs in both directions from 0.
  const filter = scratch + m * 16;
  memory.fill(filter, 0, m * 16);
  for (let k: usize = 0; k < n; k++) {
    const c = conjugate(v128.load(chirp + k * 16));
    v128.store(filter + k * 16, c);
    if (k > 0) v128.store(filter + (m - k) * 16, c);
  }
  radix2(filter, m, turns);
  const within = f64x2.splat(1 / <f64>m);
  for (let row: usize = 0; row < batch; row++) {
    memory.fill(scratch, 0, m * 16);
    for (let k: usize = 0; k < n; k++) v128.store(scratch + k * 16, times(load1(x + k * 8, inverse), v128.load(chirp + k * 16)));
    radix2(scratch, m, turns);
    for (let k: usize = 0; k < m; k++) {
      v128.store(scratch + k * 16, conjugate(times(v128.load(scratch + k * 16), v128.load(filter + k * 16))));
    }
    radix2(scratch, m, turns);
    for (let k: usize = 0; k < n; k++) {
      const v = f64x2.mul(conjugate(v128.load(scratch + k * 16)), within);
      store1(y + k * 8, times(v, v128.load(chirp + k * 16)), scale, inverse);
    }
    x += n * 8;
    y += n * 8;
  }
}
