// float32 within a piece and float64 across pieces.
const PIECE: usize = 8192;

export function sumOfSquares(x: usize, y: usize, n: usize): void {
  let total: f64 = 0;
  const end = x + (n << 2);
  while (x < end) {
    const stop = min(end, x + PIECE);
    let a = f32x4.splat(0);
    let b = f32x4.splat(0);
    for (; x + 32 <= stop; x += 32) {
      const p = v128.load(x);
      const q = v128.load(x, 16);
      a = f32x4.add(a, f32x4.mul(p, p));
      b = f32x4.add(b, f32x4.mul(q, q));
    }
    a = f32x4.add(a, b);
    let sum = f32x4.extract_lane(a, 0) + f32x4.extract_lane(a, 1) + f32x4.extract_lane(a, 2) + f32x4.extract_lane(a, 3);
    for (; x < stop; x += 4) {
      const p = load<f32>(x);
      sum += p * p;
    }
    total += <f64>sum;
  }
  store<f32>(y, <f32>total);
}
