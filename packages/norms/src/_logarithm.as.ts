// Logarithm and exponential in float64, by series: the standard library's bring tables, which would lie in tfjs' own memory.

const LN2: f64 = 0.6931471805599453;

/** ln x of a positive normal number, to 1e-13. NaN and infinity stay. */
export function logarithm(x: f64): f64 {
  if (!(x < Infinity)) return x;
  const bits = reinterpret<i64>(x);
  let exponent = <f64>((bits >> 52) - 1023);
  let m = reinterpret<f64>((bits & 0x000fffffffffffff) | 0x3ff0000000000000);
  if (m > 1.4142135623730951) {
    m *= 0.5;
    exponent += 1;
  }
  // ln m = 2 artanh s
  const s = (m - 1) / (m + 1);
  const q = s * s;
  let sum: f64 = 0;
  for (let k = 19; k > 0; k -= 2) sum = sum * q + 1 / <f64>k;
  return 2 * s * sum + exponent * LN2;
}

/** e^x, to 1e-13. NaN stays. */
export function exponential(x: f64): f64 {
  if (x != x) return x;
  if (x > 709) return Infinity;
  if (x < -708) return 0;
  const k = nearest<f64>(x / LN2);
  const r = x - k * LN2;
  let sum: f64 = 1;
  for (let n = 13; n > 0; n--) sum = 1 + (r / <f64>n) * sum;
  return sum * reinterpret<f64>((<i64>k + 1023) << 52);
}
