// Margins and the weighted sum of the samples, in one pass. The weights are kept divided by exp(-max(0, least margin)), and what is summed
// is scaled anew when a lower margin comes, as in an online softmax.

const LN2: f64 = 0.6931471805599453;

/** Samples whose parts are summed in float32 before they enter the float64 totals. */
const BLOCK: usize = 128;

/** e^-t for t >= 0, by series: the standard library's brings tables, which would lie in tfjs' own memory. NaN stays. */
function decay(t: f64): f64 {
  if (t != t) return t;
  if (t > 708) return 0;
  const k = nearest<f64>(-t / LN2);
  const r = -t - k * LN2;
  let sum: f64 = 1;
  for (let n = 13; n > 0; n--) sum = 1 + (r / <f64>n) * sum;
  return sum * reinterpret<f64>((<i64>k + 1023) << 52);
}

/** ln(1 + e) for e from 0 to 1: 2 artanh(e / (2 + e)). */
function logOnePlus(e: f64): f64 {
  const s = e / (2 + e);
  const q = s * s;
  let sum: f64 = 0;
  for (let k = 25; k > 0; k -= 2) sum = sum * q + 1 / <f64>k;
  return 2 * s * sum;
}

function dot(a: usize, b: usize, bytes: usize): f32 {
  const end = a + bytes;
  let first = f32x4.splat(0);
  let second = f32x4.splat(0);
  let third = f32x4.splat(0);
  let fourth = f32x4.splat(0);
  for (; a + 64 <= end; a += 64) {
    first = f32x4.add(first, f32x4.mul(v128.load(a), v128.load(b)));
    second = f32x4.add(second, f32x4.mul(v128.load(a, 16), v128.load(b, 16)));
    third = f32x4.add(third, f32x4.mul(v128.load(a, 32), v128.load(b, 32)));
    fourth = f32x4.add(fourth, f32x4.mul(v128.load(a, 48), v128.load(b, 48)));
    b += 64;
  }
  for (; a + 16 <= end; a += 16) {
    first = f32x4.add(first, f32x4.mul(v128.load(a), v128.load(b)));
    b += 16;
  }
  const sums = f32x4.add(f32x4.add(first, second), f32x4.add(third, fourth));
  let sum =
    f32x4.extract_lane(sums, 0) + f32x4.extract_lane(sums, 1) + (f32x4.extract_lane(sums, 2) + f32x4.extract_lane(sums, 3));
  for (; a < end; a += 4) {
    sum += load<f32>(a) * load<f32>(b);
    b += 4;
  }
  return sum;
}

/** sums += factor x. */
function accumulate(x: usize, sums: usize, bytes: usize, factor: f32): void {
  const end = x + bytes;
  const factors = f32x4.splat(factor);
  for (; x + 16 <= end; x += 16) {
    v128.store(sums, f32x4.add(v128.load(sums), f32x4.mul(v128.load(x), factors)));
    sums += 16;
  }
  for (; x < end; x += 4) {
    store<f32>(sums, load<f32>(sums) + load<f32>(x) * factor);
    sums += 4;
  }
}

/** totals = (totals + sums) factor; sums = 0. */
function flush(sums: usize, totals: usize, bytes: usize, factor: f64): void {
  for (let i: usize = 0; i < bytes; i += 4) {
    const total = totals + (i << 1);
    store<f64>(total, (load<f64>(total) + <f64>load<f32>(sums + i)) * factor);
    store<f32>(sums + i, 0);
  }
}

export function marginSums(
  x: usize,
  y: usize,
  theta: usize,
  direction: usize,
  statistics: usize,
  totals: usize,
  rows: usize,
  width: usize,
  misclassifiedOnly: i32,
): void {
  const bytes = width << 2;
  memory.fill(direction, 0, bytes);
  memory.fill(totals, 0, bytes << 1);
  let least: f64 = Infinity;
  let low: f64 = Infinity;
  let weights: f64 = 0;
  let wrong: f64 = 0;
  let losses: f64 = 0;
  for (let row: usize = 1; row <= rows; row++) {
    const sign = load<f32>(y);
    const margin = <f64>(sign * dot(x, theta, bytes));
    if (margin < least) {
      least = margin;
      const lower = max<f64>(0, margin);
      if (weights > 0 && lower < low && misclassifiedOnly == 0) {
        const factor = decay(low - lower);
        flush(direction, totals, bytes, factor);
        weights *= factor;
      }
      low = lower;
    }
    const e = decay(abs<f64>(margin));
    losses += max<f64>(-margin, 0) + logOnePlus(e);
    if (margin <= 0) wrong += 1;
    let weight: f64;
    if (misclassifiedOnly != 0) weight = margin <= 0 ? 1 : 0;
    else if (low > 0) weight = decay(margin - low) / (1 + e);
    else weight = (margin > 0 ? e : 1) / (1 + e);
    weights += weight;
    // Not `> 0`: NaN must come through.
    if (weight != 0) accumulate(x, direction, bytes, <f32>weight * sign);
    if (row % BLOCK == 0) flush(direction, totals, bytes, 1);
    x += bytes;
    y += 4;
  }
  flush(direction, totals, bytes, 1);
  for (let i: usize = 0; i < bytes; i += 4) store<f32>(direction + i, <f32>load<f64>(totals + (i << 1)));
  store<f32>(statistics, <f32>least);
  store<f32>(statistics, <f32>weights, 4);
  store<f32>(statistics, <f32>wrong, 8);
  store<f32>(statistics, <f32>losses, 12);
}
