// Mean and maximum of each row of channels, and their gradient, which goes to the first maximum.
import { sumOf } from '../_rows.as';

/** Largest value of a row; NaN where there is one. */
function maximumOf(x: usize, bytes: usize): f32 {
  let i: usize = 0;
  let most = load<f32>(x);
  if (bytes >= 16) {
    let wide = v128.load(x);
    for (i = 16; i + 16 <= bytes; i += 16) wide = f32x4.max(wide, v128.load(x + i));
    // max() of floats keeps NaN.
    most = max<f32>(
      max<f32>(f32x4.extract_lane(wide, 0), f32x4.extract_lane(wide, 1)),
      max<f32>(f32x4.extract_lane(wide, 2), f32x4.extract_lane(wide, 3)),
    );
  }
  for (; i < bytes; i += 4) most = max<f32>(most, load<f32>(x + i));
  return most;
}

/** y [rows, 2]: mean and maximum. */
export function forward(x: usize, y: usize, rows: usize, channels: usize): void {
  const bytes = channels << 2;
  const n = <f64>channels;
  for (; rows > 0; rows--) {
    store<f32>(y, <f32>(sumOf(x, bytes) / n));
    store<f32>(y + 4, maximumOf(x, bytes));
    x += bytes;
    y += 8;
  }
}

/** dx = dmean / channels, and dmax on top at the first maximum. */
export function gradient(x: usize, dy: usize, dx: usize, rows: usize, channels: usize): void {
  const bytes = channels << 2;
  const part: f32 = 1 / <f32>channels;
  for (; rows > 0; rows--) {
    const share = load<f32>(dy) * part;
    const wide = f32x4.splat(share);
    const most = maximumOf(x, bytes);
    let i: usize = 0;
    for (; i + 16 <= bytes; i += 16) v128.store(dx + i, wide);
    for (; i < bytes; i += 4) store<f32>(dx + i, share);
    for (i = 0; i < bytes; i += 4) {
      if (load<f32>(x + i) !== most) continue;
      store<f32>(dx + i, share + load<f32>(dy + 4));
      break;
    }
    x += bytes;
    dy += 8;
    dx += bytes;
  }
}
