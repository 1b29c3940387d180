// Maximum pooling over [n, d, h, w, c], f32, and its gradient; and maximum and average over [n, h, w, c]. Two dimensions are three with a depth
// of one.
//
// Geometry comes as a table of 20 i32 in memory: in d h w, out d h w, filter d h w, strides d h w, dilations d h w, padding front top left,
// channels, and how many elements one sample adds to a position.

const CHANNELS: usize = 18;
const SAMPLE: usize = 19;

// @ts-ignore: decorator
@inline
function at(geometry: usize, index: usize): i32 {
  return load<i32>(geometry + index * 4);
}

/**
 * For every window and channel: the maximum to `y`, and to `positions` the element of x that has it (the first one; -1 where nothing in the
 * window is greater than -Infinity). `y` or `positions` may be null.
 */
export function maxPool(x: usize, y: usize, positions: usize, n: i32, geometry: usize): void {
  const inD = at(geometry, 0);
  const inH = at(geometry, 1);
  const inW = at(geometry, 2);
  const outD = at(geometry, 3);
  const outH = at(geometry, 4);
  const outW = at(geometry, 5);
  const channels = at(geometry, CHANNELS);
  const sample = at(geometry, SAMPLE);
  const image = inD * inH * inW * channels;
  const lowest = f32x4.splat(-Infinity);
  const none = i32x4.splat(-1);
  for (let b = 0; b < n; b++) {
    const from = x + (<usize>b * <usize>image) * 4;
    for (let od = 0; od < outD; od++) {
      const d0 = od * at(geometry, 9) - at(geometry, 15);
      for (let oh = 0; oh < outH; oh++) {
        const h0 = oh * at(geometry, 10) - at(geometry, 16);
        for (let ow = 0; ow < outW; ow++) {
          const w0 = ow * at(geometry, 11) - at(geometry, 17);
          for (let c = 0; c < channels; c += 4) {
            let best = lowest;
            let where = none;
            const lanes = min(channels - c, 4);
            for (let kd = 0; kd < at(geometry, 6); kd++) {
              const d = d0 + kd * at(geometry, 12);
              if (d < 0 || d >= inD) continue;
              for (let kh = 0; kh < at(geometry, 7); kh++) {
                const h = h0 + kh * at(geometry, 13);
                if (h < 0 || h >= inH) continue;
                for (let kw = 0; kw < at(geometry, 8); kw++) {
                  const w = w0 + kw * at(geometry, 14);
                  if (w < 0 || w >= inW) continue;
                  const element = ((d * inH + h) * inW + w) * channels + c;
                  const value = lanes == 4 ? v128.load(from + <usize>element * 4) : loadLanes(from + <usize>element * 4, lanes);
                  const greater = f32x4.gt(value, best);
                  best = v128.bitselect(value, best, greater);
                  where = v128.bitselect(i32x4.splat(element), where, greater);
                }
              }
            }
            if (y != 0) storeLanes(y, best, lanes);
            if (positions != 0) {
              const found = i32x4.ne(where, none);
              const exact = i32x4.add(where, v128.and(found, i32x4.add(i32x4.splat(b * sample), LANES())));
              storeLanes(positions, exact, lanes);
            }
            if (y != 0) y += <usize>lanes * 4;
            if (positions != 0) positions += <usize>lanes * 4;
          }
        }
      }
    }
  }
}

// @ts-ignore: decorator
@inline
function LANES(): v128 {
  return i32x4(0, 1, 2, 3);
}

// @ts-ignore: decorator
@inline
function min(a: i32, b: i32): i32 {
  return a < b ? a : b;
}

function loadLanes(from: usize, lanes: i32): v128 {
  let v = f32x4.splat(load<f32>(from));
  if (lanes > 1) v = f32x4.replace_lane(v, 1, load<f32>(from, 4));
  if (lanes > 2) v = f32x4.replace_lane(v, 2, load<f32>(from, 8));
  return v;
}

// @ts-ignore: decorator
@inline
function storeLanes(to: usize, v: v128, lanes: i32): void {
  if (lanes == 4) v128.store(to, v);
  else {
    v128.store32_lane(to, v, 0);
    if (lanes > 1) v128.store32_lane(to, v, 1, 4);
    if (lanes > 2) v128.store32_lane(to, v, 2, 8);
  }
}

/** dx[position] += dy for `count` windows whose positions were found before. dx is zeroed first. */
export function scatter(dy: usize, positions: usize, count: usize, dx: usize, size: usize): void {
  memory.fill(dx, 0, size * 4);
  for (let i: usize = 0; i < count; i++) {
    const position = load<i32>(positions + i * 4);
    if (position < 0) continue;
    const target = dx + <usize>position * 4;
    store<f32>(target, load<f32>(target) + load<f32>(dy + i * 4));
  }
}

/** One entry of a geometry table. */
export function put(geometry: usize, index: usize, value: i32): void {
  store<i32>(geometry + index * 4, value);
}

// @ts-ignore: decorator
@inline
function max(a: i32, b: i32): i32 {
  return a > b ? a : b;
}

/** Sum or maximum of a window that lies within the image, `rows` x `cols` positions, four channels. A maximum passes over NaN. */
// @ts-ignore: decorator
@inline
function window(average: bool, x: usize, rows: i32, rowStep: usize, cols: i32, colStep: usize, lanes: i32): v128 {
  let sum = average ? f32x4.splat(0) : f32x4.splat(-Infinity);
  for (let r = 0; r < rows; r++) {
    let p = x + r * rowStep;
    for (let c = 0; c < cols; c++) {
      const value = lanes == 4 ? v128.load(p) : loadLanes(p, lanes);
      sum = average ? f32x4.add(sum, value) : f32x4.pmax(sum, value);
      p += colStep;
    }
  }
  return sum;
}

/** The same of sixteen channels, a cache line, times `factor`. */
// @ts-ignore: decorator
@inline
function line16(average: bool, x: usize, rows: i32, rowStep: usize, cols: i32, colStep: usize, y: usize, factor: v128): void {
  let a = average ? f32x4.splat(0) : f32x4.splat(-Infinity);
  let b = a;
  let c = a;
  let d = a;
  for (let r = 0; r < rows; r++) {
    let p = x;
    for (const end = x + cols * colStep; p < end; p += colStep) {
      const v0 = v128.load(p);
      const v1 = v128.load(p, 16);
      const v2 = v128.load(p, 32);
      const v3 = v128.load(p, 48);
      a = average ? f32x4.add(a, v0) : f32x4.pmax(a, v0);
      b = average ? f32x4.add(b, v1) : f32x4.pmax(b, v1);
      c = average ? f32x4.add(c, v2) : f32x4.pmax(c, v2);
      d = average ? f32x4.add(d, v3) : f32x4.pmax(d, v3);
    }
    x += rowStep;
  }
  v128.store(y, average ? f32x4.mul(a, factor) : a);
  v128.store(y, average ? f32x4.mul(b, factor) : b, 16);
  v128.store(y, average ? f32x4.mul(c, factor) : c, 32);
  v128.store(y, average ? f32x4.mul(d, factor) : d, 48);
}

/** Maximum or average over windows of rows and columns; an average is over what of its window lies within the image. */
// @ts-ignore: decorator
@inline
function pool(average: bool, x: usize, y: usize, n: i32, geometry: usize): void {
  const h = at(geometry, 1);
  const w = at(geometry, 2);
  const outH = at(geometry, 4);
  const outW = at(geometry, 5);
  const kH = at(geometry, 7);
  const kW = at(geometry, 8);
  const strideH = at(geometry, 10);
  const strideW = at(geometry, 11);
  const dilationH = at(geometry, 13);
  const dilationW = at(geometry, 14);
  const top = at(geometry, 16);
  const left = at(geometry, 17);
  const pixel = <usize>at(geometry, CHANNELS) * 4;
  const line = <usize>w * pixel;
  const whole = pixel & ~15;
  for (let b = 0; b < n; b++) {
    for (let oh = 0; oh < outH; oh++) {
      const h0 = oh * strideH - top;
      const r0 = h0 < 0 ? (-h0 + dilationH - 1) / dilationH : 0;
      const r1 = min(kH, (h - h0 + dilationH - 1) / dilationH);
      for (let ow = 0; ow < outW; ow++) {
        const w0 = ow * strideW - left;
        const c0 = w0 < 0 ? (-w0 + dilationW - 1) / dilationW : 0;
        const c1 = min(kW, (w - w0 + dilationW - 1) / dilationW);
        const from = x + <usize>b * h * line + (h0 + r0 * dilationH) * line + (w0 + c0 * dilationW) * pixel;
        const factor = f32x4.div(f32x4.splat(1), f32x4.splat(<f32>(max(0, r1 - r0) * max(0, c1 - c0))));
        let channel: usize = 0;
        for (; channel + 64 <= whole; channel += 64) {
          line16(average, from + channel, r1 - r0, dilationH * line, c1 - c0, dilationW * pixel, y + channel, factor);
        }
        for (; channel < whole; channel += 16) {
          const v = window(average, from + channel, r1 - r0, dilationH * line, c1 - c0, dilationW * pixel, 4);
          v128.store(y + channel, average ? f32x4.mul(v, factor) : v);
        }
        if (channel < pixel) {
          const lanes = <i32>(pixel - channel) >> 2;
          const v = window(average, from + channel, r1 - r0, dilationH * line, c1 - c0, dilationW * pixel, lanes);
          storeLanes(y + channel, average ? f32x4.mul(v, factor) : v, lanes);
        }
        y += pixel;
      }
    }
  }
}

export function maxPool2d(x: usize, y: usize, n: i32, geometry: usize): void {
  pool(false, x, y, n, geometry);
}

export function averagePool2d(x: usize, y: usize, n: i32, geometry: usize): void {
  pool(true, x, y, n, geometry);
}
