// Complex numbers lie as pairs of float32, real and imaginary part side by side.

/** Pairs of two arrays of n floats. */
export function join(real: usize, imaginary: usize, y: usize, n: usize): void {
  for (; n >= 4; n -= 4) {
    const a = v128.load(real);
    const b = v128.load(imaginary);
    v128.store(y, v128.shuffle<f32>(a, b, 0, 4, 1, 5));
    v128.store(y, v128.shuffle<f32>(a, b, 2, 6, 3, 7), 16);
    real += 16;
    imaginary += 16;
    y += 32;
  }
  for (; n > 0; n--) {
    store<f32>(y, load<f32>(real));
    store<f32>(y, load<f32>(imaginary), 4);
    real += 4;
    imaginary += 4;
    y += 8;
  }
}

/** Every second float of x: its real parts, or from x + 4 its imaginary ones. */
export function part(x: usize, y: usize, n: usize): void {
  for (; n > 0; n--) {
    store<f32>(y, load<f32>(x));
    x += 8;
    y += 4;
  }
}

/** Magnitudes; in float64, which neither overflows nor underflows. */
export function magnitude(x: usize, y: usize, n: usize): void {
  for (; n > 0; n--) {
    const a = <f64>load<f32>(x);
    const b = <f64>load<f32>(x, 4);
    store<f32>(y, <f32>sqrt(a * a + b * b));
    x += 8;
    y += 4;
  }
}
