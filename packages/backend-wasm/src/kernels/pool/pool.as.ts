// Maximum pooling over [n, d, h, w, c], f32, and its gradient. Two dimensions are three with a depth of one.
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
