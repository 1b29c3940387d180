// Grayscale morphological dilation on NHWC, f32, and its gradients: y = max over a window of x + w, for each channel.
//
// Geometry comes as a table of 15 i32: batch, in h w, channels, out h w, filter h w, strides h w, dilations h w, padding top left, and what to
// compute: the maximum, or where it is and dy added there, in dx or in dw.

// @ts-ignore: decorator
@inline
function at(geometry: usize, index: usize): i32 {
  return load<i32>(geometry + index * 4);
}

const FORWARD: i32 = 0;
const TO_INPUT: i32 = 1;

/** `y` is y, or dx or dw, which are zeroed here. `dy` is null in the forward direction. */
export function dilate(x: usize, w: usize, dy: usize, y: usize, geometry: usize): void {
  const n = at(geometry, 0);
  const h = at(geometry, 1);
  const width = at(geometry, 2);
  const channels = at(geometry, 3);
  const outH = at(geometry, 4);
  const outW = at(geometry, 5);
  const kH = at(geometry, 6);
  const kW = at(geometry, 7);
  const kind = at(geometry, 14);
  if (kind == TO_INPUT) memory.fill(y, 0, <usize>(n * h * width * channels) * 4);
  else if (kind != FORWARD) memory.fill(y, 0, <usize>(kH * kW * channels) * 4);
  let index: usize = 0;
  for (let i = 0; i < n; i++) {
    for (let oh = 0; oh < outH; oh++) {
      for (let ow = 0; ow < outW; ow++) {
        for (let c = 0; c < channels; c++) {
          let best: f32 = -Infinity;
          let input = -1;
          let tap = c;
          for (let a = 0; a < kH; a++) {
            const row = oh * at(geometry, 8) + a * at(geometry, 10) - at(geometry, 12);
            if (row < 0 || row >= h) continue;
            for (let b = 0; b < kW; b++) {
              const column = ow * at(geometry, 9) + b * at(geometry, 11) - at(geometry, 13);
              if (column < 0 || column >= width) continue;
              const element = ((i * h + row) * width + column) * channels + c;
              const weight = (a * kW + b) * channels + c;
              const value = load<f32>(x + <usize>element * 4) + load<f32>(w + <usize>weight * 4);
              if (value > best || input < 0) {
                best = value;
                input = element;
                tap = weight;
              }
            }
          }
          if (kind == FORWARD) store<f32>(y + index, best);
          else if (input >= 0) {
            const target = y + <usize>(kind == TO_INPUT ? input : tap) * 4;
            store<f32>(target, load<f32>(target) + load<f32>(dy + index));
          }
          index += 4;
        }
      }
    }
  }
}
