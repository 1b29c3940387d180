// The gradients of 3-D convolution on NDHWC, f32, straight from their definition: all products of one window position at a time, vectors along
// the output channels.
//
// Geometry comes as a table of 21 i32: batch, in d h w c, out d h w c, filter d h w, strides d h w, dilations d h w, padding front top left.

import { madd } from '../_madd.as';

// variants: relaxed

// @ts-ignore: decorator
@inline
function at(geometry: usize, index: usize): i32 {
  return load<i32>(geometry + index * 4);
}

// @ts-ignore: decorator
@inline
function total(v: v128): f32 {
  const pairs = f32x4.add(v, v128.shuffle<f32>(v, v, 2, 3, 0, 1));
  return f32x4.extract_lane(pairs, 0) + f32x4.extract_lane(pairs, 1);
}

/** dx[ci] += the sum over co of w[ci, co] dy[co]. */
function spread(w: usize, dy: usize, dx: usize, ci: usize, co: usize): void {
  const whole = (co & ~3) * 4;
  for (const end = dx + ci * 4; dx < end; dx += 4) {
    let sum = f32x4.splat(0);
    let o: usize = 0;
    for (; o < whole; o += 16) sum = madd(v128.load(w + o), v128.load(dy + o), sum);
    let value = load<f32>(dx) + total(sum);
    for (; o < co * 4; o += 4) value += load<f32>(w + o) * load<f32>(dy + o);
    store<f32>(dx, value);
    w += co * 4;
  }
}

/** dw[ci, co] += x[ci] dy[co]. */
function outer(x: usize, dy: usize, dw: usize, ci: usize, co: usize): void {
  const whole = (co & ~3) * 4;
  for (const end = x + ci * 4; x < end; x += 4) {
    const v = v128.load32_splat(x);
    let o: usize = 0;
    for (; o < whole; o += 16) v128.store(dw + o, madd(v, v128.load(dy + o), v128.load(dw + o)));
    for (; o < co * 4; o += 4) store<f32>(dw + o, load<f32>(dw + o) + load<f32>(x) * load<f32>(dy + o));
    dw += co * 4;
  }
}

/** With `toInput`, dx (zeroed here) from dy and the filter; else dw (zeroed here) from x and dy. `x` is x or dx, `w` the filter or dw. */
export function gradient(toInput: bool, x: usize, w: usize, dy: usize, geometry: usize): void {
  const n = at(geometry, 0);
  const inD = at(geometry, 1);
  const inH = at(geometry, 2);
  const inW = at(geometry, 3);
  const ci = <usize>at(geometry, 4);
  const outD = at(geometry, 5);
  const outH = at(geometry, 6);
  const outW = at(geometry, 7);
  const co = <usize>at(geometry, 8);
  const kD = at(geometry, 9);
  const kH = at(geometry, 10);
  const kW = at(geometry, 11);
  if (toInput) memory.fill(x, 0, <usize>(n * inD * inH * inW) * ci * 4);
  else memory.fill(w, 0, <usize>(kD * kH * kW) * ci * co * 4);
  for (let i = 0; i < n; i++) {
    for (let od = 0; od < outD; od++) {
      for (let oh = 0; oh < outH; oh++) {
        for (let ow = 0; ow < outW; ow++) {
          let tap = w;
          for (let a = 0; a < kD; a++) {
            const d = od * at(geometry, 12) + a * at(geometry, 15) - at(geometry, 18);
            for (let b = 0; b < kH; b++) {
              const h = oh * at(geometry, 13) + b * at(geometry, 16) - at(geometry, 19);
              for (let c = 0; c < kW; c++) {
                const v = ow * at(geometry, 14) + c * at(geometry, 17) - at(geometry, 20);
                if (d >= 0 && d < inD && h >= 0 && h < inH && v >= 0 && v < inW) {
                  const pixel = x + <usize>(((i * inD + d) * inH + h) * inW + v) * ci * 4;
                  if (toInput) spread(tap, dy, pixel, ci, co);
                  else outer(pixel, dy, tap, ci, co);
                }
                tap += ci * co * 4;
              }
            }
          }
          dy += co * 4;
        }
      }
    }
  }
}
