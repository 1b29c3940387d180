// Depthwise 2-D convolution on NHWC, f32, and both its gradients.
//
// Everything works on "wide" images: a channel for every output channel (a multiplier m repeats each one m times), filled up to a multiple of
// four; that is the tensor itself where the multiplier is one and channels come in fours. Nothing is padded: windows are clipped to the image.
// Weights lie in groups of four channels, [wide / 4][taps][4].
//
// Inside a row six pixels of four channels stay in registers, so that a tap's weights are loaded once for six multiply-adds. Where pixels are
// a multiple of 2 KB apart, six of them would evict each other from L1, and single pixels of sixteen channels (one cache line) do better.

// variants: relaxed

import { madd } from '../_madd.as';

const PIXELS: i32 = 6;
/** Pixels so far apart, or a multiple, share few sets of an L1 cache. */
const ALIAS: usize = 2048;

// @ts-ignore: decorator
@inline
function min(a: i32, b: i32): i32 {
  return a < b ? a : b;
}

// @ts-ignore: decorator
@inline
function max(a: i32, b: i32): i32 {
  return a > b ? a : b;
}

/** a / b, rounded up; 0 for a negative a. */
// @ts-ignore: decorator
@inline
function steps(a: i32, b: i32): i32 {
  return a <= 0 ? 0 : (a + b - 1) / b;
}

/** Copies [count, c] into [count, wide]: every channel `repeat` times, zeros behind the last. */
export function widen(x: usize, y: usize, count: usize, c: usize, repeat: usize, wide: usize): void {
  for (let i: usize = 0; i < count; i++) {
    const next = y + wide * 4;
    if (repeat == 1) {
      const end = x + c * 4;
      for (; x + 16 <= end; x += 16) {
        v128.store(y, v128.load(x));
        y += 16;
      }
      for (; x < end; x += 4) {
        store<f32>(y, load<f32>(x));
        y += 4;
      }
    } else {
      for (const end = x + c * 4; x < end; x += 4) {
        const value = load<f32>(x);
        for (let k: usize = 0; k < repeat; k++) {
          store<f32>(y, value);
          y += 4;
        }
      }
    }
    for (; y < next; y += 4) store<f32>(y, 0);
  }
}

/** The reverse, [count, wide] to [count, c]: sums `repeat` neighbours, drops what was filled up. */
export function narrow(x: usize, y: usize, count: usize, c: usize, repeat: usize, wide: usize): void {
  for (let i: usize = 0; i < count; i++) {
    let from = x;
    const end = y + c * 4;
    if (repeat == 1) {
      for (; y + 16 <= end; y += 16) {
        v128.store(y, v128.load(from));
        from += 16;
      }
    }
    for (; y < end; y += 4) {
      let sum = load<f32>(from);
      from += 4;
      for (let k: usize = 1; k < repeat; k++) {
        sum += load<f32>(from);
        from += 4;
      }
      store<f32>(y, sum);
    }
    x += wide * 4;
  }
}

/** Weights [taps, channels] as groups [wide / 4][taps][4]; of rows and columns of taps from (r0, c0) every `stride`-th, in reverse order where `flip`. */
export function pack(w: usize, kh: usize, kw: usize, channels: usize, wide: usize, r0: usize, c0: usize, strideH: usize, strideW: usize, flip: bool, target: usize): void {
  const rows = (kh - r0 + strideH - 1) / strideH;
  const cols = (kw - c0 + strideW - 1) / strideW;
  const group = rows * cols * 16;
  for (let r: usize = 0; r < rows; r++) {
    for (let s: usize = 0; s < cols; s++) {
      const row = r0 + (flip ? rows - 1 - r : r) * strideH;
      const column = c0 + (flip ? cols - 1 - s : s) * strideW;
      const from = w + (row * kw + column) * channels * 4;
      let to = target + (r * cols + s) * 16;
      for (let c: usize = 0; c < wide; c++) {
        store<f32>(to + (c & 3) * 4, c < channels ? load<f32>(from + c * 4) : 0);
        if ((c & 3) == 3) to += group;
      }
    }
  }
}

/** Groups [wide / 4][taps][4] as [taps, channels]. */
export function unpack(groups: usize, taps: usize, channels: usize, target: usize): void {
  for (let t: usize = 0; t < taps; t++) {
    for (let c: usize = 0; c < channels; c++) {
      store<f32>(target, load<f32>(groups + ((c >> 2) * taps + t) * 16 + (c & 3) * 4));
      target += 4;
    }
  }
}

/**
 * y = x convolved with packed weights of `rows` x `cols` taps. x is [n, h, w, wide]. The window of y's first pixel begins `top` rows and `left`
 * columns before x's first pixel. `yImage`, `yRow`, `yPixel` are pitches of y in bytes. `bias` holds `wide` floats, or is null.
 */
export function convolve(x: usize, n: i32, h: i32, w: i32, wide: usize, oh: i32, ow: i32, strideH: i32, strideW: i32, dilationH: i32, dilationW: i32, top: i32, left: i32, rows: i32, cols: i32, weights: usize, y: usize, yImage: usize, yRow: usize, yPixel: usize, bias: usize): void {
  const pitch = wide * 4;
  const line = <usize>w * pitch;
  const rowStep = <usize>dilationH * line;
  const colStep = <usize>dilationW * pitch;
  const group = <usize>(rows * cols) * 16;
  const wRow = <usize>cols * 16;
  const apart = <usize>strideW * pitch;
  // Columns of y from `inside` to before `outside` see all columns of taps.
  const inside = steps(left, strideW);
  const outside = min(ow, steps(w + left - (cols - 1) * dilationW, strideW));
  const wideTiles = apart % ALIAS != 0;
  for (let i = 0; i < n; i++) {
    for (let o = 0; o < oh; o++) {
      const row = o * strideH - top;
      const r0 = min(rows, steps(-row, dilationH));
      const r1 = max(r0, min(rows, steps(h - row, dilationH)));
      // Addresses of taps outside the image are computed, never read.
      const from = x + (i * h + row + r0 * dilationH) * <i32>line;
      const taps = weights + r0 * wRow;
      const to = y + i * yImage + o * yRow;
      for (let c = 0; c < ow; ) {
        const column = c * strideW - left;
        const at = from + column * <i32>pitch;
        if (wideTiles && c >= inside && c + PIXELS <= outside) {
          tile6(at, apart, r1 - r0, rowStep, colStep, taps, wRow, group, pitch, to + c * yPixel, yPixel, bias);
          c += PIXELS;
          continue;
        }
        const c0 = min(cols, steps(-column, dilationW));
        const c1 = max(c0, min(cols, steps(w - column, dilationW)));
        tile1(at + c0 * colStep, r1 - r0, rowStep, c1 - c0, colStep, taps + c0 * 16, wRow, group, pitch, to + c * yPixel, bias);
        c++;
      }
    }
  }
}

/** Six pixels of a row, all channels, all columns of taps. */
function tile6(x: usize, apart: usize, rows: i32, rowStep: usize, colStep: usize, weights: usize, wRow: usize, group: usize, pitch: usize, y: usize, yPixel: usize, bias: usize): void {
  for (let channel: usize = 0; channel < pitch; channel += 16) {
    let a0 = bias != 0 ? v128.load(bias + channel) : f32x4.splat(0);
    let a1 = a0;
    let a2 = a0;
    let a3 = a0;
    let a4 = a0;
    let a5 = a0;
    let w = weights;
    for (let r = 0; r < rows; r++) {
      let p0 = x + channel + r * rowStep;
      for (const end = w + wRow; w < end; w += 16) {
        const tap = v128.load(w);
        const p1 = p0 + apart;
        const p2 = p1 + apart;
        const p3 = p2 + apart;
        const p4 = p3 + apart;
        const p5 = p4 + apart;
        a0 = madd(v128.load(p0), tap, a0);
        a1 = madd(v128.load(p1), tap, a1);
        a2 = madd(v128.load(p2), tap, a2);
        a3 = madd(v128.load(p3), tap, a3);
        a4 = madd(v128.load(p4), tap, a4);
        a5 = madd(v128.load(p5), tap, a5);
        p0 += colStep;
      }
    }
    weights += group;
    let q = y + channel;
    v128.store(q, a0);
    v128.store((q += yPixel), a1);
    v128.store((q += yPixel), a2);
    v128.store((q += yPixel), a3);
    v128.store((q += yPixel), a4);
    v128.store((q += yPixel), a5);
  }
}

/** One pixel: sixteen channels at a time, then four. */
function tile1(x: usize, rows: i32, rowStep: usize, cols: i32, colStep: usize, weights: usize, wRow: usize, group: usize, pitch: usize, y: usize, bias: usize): void {
  const span = <usize>cols * 16;
  let channel: usize = 0;
  for (; channel + 64 <= pitch; channel += 64) {
    let a = f32x4.splat(0);
    let b = a;
    let c = a;
    let d = a;
    if (bias != 0) {
      a = v128.load(bias + channel);
      b = v128.load(bias + channel, 16);
      c = v128.load(bias + channel, 32);
      d = v128.load(bias + channel, 48);
    }
    for (let r = 0; r < rows; r++) {
      let p = x + channel + r * rowStep;
      let w0 = weights + r * wRow;
      let w1 = w0 + group;
      let w2 = w1 + group;
      let w3 = w2 + group;
      for (const end = w0 + span; w0 < end; w0 += 16) {
        a = madd(v128.load(p), v128.load(w0), a);
        b = madd(v128.load(p, 16), v128.load(w1), b);
        c = madd(v128.load(p, 32), v128.load(w2), c);
        d = madd(v128.load(p, 48), v128.load(w3), d);
        p += colStep;
        w1 += 16;
        w2 += 16;
        w3 += 16;
      }
    }
    weights += 4 * group;
    v128.store(y + channel, a);
    v128.store(y + channel, b, 16);
    v128.store(y + channel, c, 32);
    v128.store(y + channel, d, 48);
  }
  for (; channel < pitch; channel += 16) {
    let a = bias != 0 ? v128.load(bias + channel) : f32x4.splat(0);
    for (let r = 0; r < rows; r++) {
      let p = x + channel + r * rowStep;
      let w = weights + r * wRow;
      for (const end = w + span; w < end; w += 16) {
        a = madd(v128.load(p), v128.load(w), a);
        p += colStep;
      }
    }
    weights += group;
    v128.store(y + channel, a);
  }
}

/** Pixels of x and dy together that the filter's gradient takes at a time: their lines stay in L1 while all taps pass over them. */
const BLOCK: i32 = 400;
/** Bytes of a cache line, sixteen channels. */
const LINE: usize = 64;

/** Rows of y in a block. */
// @ts-ignore: decorator
@inline
function blockRows(w: i32, ow: i32, strideH: i32): i32 {
  return max(1, BLOCK / max(1, ow + strideH * w));
}

/** Bytes of scratch for `filterGradient`: a block of x and one of dy. */
export function gradientScratch(w: i32, ow: i32, strideH: i32, strideW: i32, rows: i32, cols: i32, dilationH: i32, dilationW: i32, left: i32): usize {
  const block = blockRows(w, ow, strideH);
  return <usize>((block * strideH + rows * dilationH) * paddedWidth(w, ow, strideW, cols, dilationW, left) + block * ow) * LINE;
}

/** Columns of an image with zeros as far as windows reach. */
// @ts-ignore: decorator
@inline
function paddedWidth(w: i32, ow: i32, strideW: i32, cols: i32, dilationW: i32, left: i32): i32 {
  return max(left + w, (ow - 1) * strideW + (cols - 1) * dilationW + 1);
}

/** Copies `count` pixels of one cache line out of pixels `pitch` bytes apart. */
function gather(x: usize, count: i32, pitch: usize, bytes: usize, target: usize): void {
  for (let i = 0; i < count; i++) {
    for (let b: usize = 0; b < bytes; b += 16) v128.store(target + b, v128.load(x + b));
    x += pitch;
    target += LINE;
  }
}

/** dw, in groups [wide / 4][taps][4], = the sum over all windows of x dy: the filter's gradient. Arguments as of `convolve`; dy is dense. */
export function filterGradient(x: usize, n: i32, h: i32, w: i32, wide: usize, oh: i32, ow: i32, strideH: i32, strideW: i32, dilationH: i32, dilationW: i32, top: i32, left: i32, rows: i32, cols: i32, dy: usize, dw: usize, scratch: usize): void {
  const pitch = wide * 4;
  const line = <usize>w * pitch;
  const group = <usize>(rows * cols) * 16;
  const aliased = (<usize>strideW * pitch) % ALIAS == 0;
  const block = blockRows(w, ow, strideH);
  memory.fill(dw, 0, group * (wide / 4));
  for (let i = 0; i < n; i++) {
    const image = x + <usize>i * h * line;
    for (let first = 0; first < oh; first += block) {
      const last = min(oh, first + block);
      const g = dy + <usize>((i * oh + first) * ow) * pitch;
      if (!aliased) {
        for (let channel: usize = 0; channel < pitch; channel += 16) {
          gradientBlock(image + channel, h, w, pitch, first, last, ow, strideH, strideW, dilationH, dilationW, top, left, rows, cols, g + channel, dw + (channel / 16) * group);
        }
        continue;
      }
      // Rows of x that the block sees.
      const from = min(h, max(0, first * strideH - top));
      const until = max(from, min(h, (last - 1) * strideH - top + (rows - 1) * dilationH + 1));
      const near = scratch + <usize>((last - first) * ow) * LINE;
      const padded = paddedWidth(w, ow, strideW, cols, dilationW, left);
      memory.fill(near, 0, <usize>((until - from) * padded) * LINE);
      for (let channel: usize = 0; channel < pitch; channel += LINE) {
        const bytes = pitch - channel < LINE ? pitch - channel : LINE;
        gather(g + channel, (last - first) * ow, pitch, bytes, scratch);
        for (let r = from; r < until; r++) gather(image + r * line + channel, w, pitch, bytes, near + <usize>((r - from) * padded + left) * LINE);
        for (let b: usize = 0; b < bytes; b += 16) {
          gradientBlock(near - from * padded * LINE + b, h, padded, LINE, first, last, ow, strideH, strideW, dilationH, dilationW, top, 0, rows, cols, scratch + b, dw + ((channel + b) / 16) * group);
        }
      }
    }
  }
}

/** Four channels of a block of rows of y, all taps. `dy` is at the block's first row, `x` at the image's. */
function gradientBlock(x: usize, h: i32, w: i32, pitch: usize, first: i32, last: i32, ow: i32, strideH: i32, strideW: i32, dilationH: i32, dilationW: i32, top: i32, left: i32, rows: i32, cols: i32, dy: usize, dw: usize): void {
  const line = <usize>w * pitch;
  const apart = <usize>strideW * pitch;
  const xRow = <usize>strideH * line;
  const dyRow = <usize>ow * pitch;
  for (let r = 0; r < rows; r++) {
    // Rows of y from `start` to before `end` see this row of taps.
    const down = top - r * dilationH;
    const start = max(first, steps(down, strideH));
    const end = min(last, steps(h + down, strideH));
    if (end <= start) {
      dw += <usize>cols * 16;
      continue;
    }
    const from = x + (start * strideH - down) * <i32>line;
    const g = dy + <usize>(start - first) * dyRow;
    let s = 0;
    for (; s + 3 <= cols; s += 3) {
      // Columns that see all three taps; then those at the borders that see some.
      const across = left - s * dilationW;
      const lo = min(ow, steps(across, strideW));
      const hi = max(lo, min(ow, steps(w + across - 2 * dilationW, strideW)));
      gradient3(from + (lo * strideW - across) * <i32>pitch, xRow, apart, <usize>dilationW * pitch, g + lo * pitch, dyRow, pitch, end - start, hi - lo, dw);
      for (let shift = across; shift > across - 3 * dilationW; shift -= dilationW) {
        const begin = steps(shift, strideW);
        const until = min(ow, steps(w + shift, strideW));
        gradient1(from + (begin * strideW - shift) * <i32>pitch, xRow, apart, g + begin * pitch, dyRow, pitch, end - start, min(lo, until) - begin, dw);
        const resume = max(hi, begin);
        gradient1(from + (resume * strideW - shift) * <i32>pitch, xRow, apart, g + resume * pitch, dyRow, pitch, end - start, until - resume, dw);
        dw += 16;
      }
    }
    for (; s < cols; s++) {
      const across = left - s * dilationW;
      const lo = steps(across, strideW);
      const hi = min(ow, steps(w + across, strideW));
      gradient1(from + (lo * strideW - across) * <i32>pitch, xRow, apart, g + lo * pitch, dyRow, pitch, end - start, hi - lo, dw);
      dw += 16;
    }
  }
}

/** Three neighbouring taps over a block of rows and columns. */
function gradient3(x: usize, xRow: usize, apart: usize, colStep: usize, dy: usize, dyRow: usize, pitch: usize, rows: i32, count: i32, w: usize): void {
  if (count <= 0) return;
  let a = v128.load(w);
  let b = v128.load(w, 16);
  let c = v128.load(w, 32);
  let d = f32x4.splat(0);
  let e = d;
  let f = d;
  for (; rows > 0; rows--) {
    let p = x;
    let q = dy;
    x += xRow;
    dy += dyRow;
    const end = q + count * pitch;
    for (const last = q + (count & ~1) * pitch; q < last; q += 2 * pitch) {
      const g = v128.load(q);
      const h = v128.load(q + pitch);
      const z = p + apart;
      a = madd(v128.load(p), g, a);
      b = madd(v128.load(p + colStep), g, b);
      c = madd(v128.load(p + 2 * colStep), g, c);
      d = madd(v128.load(z), h, d);
      e = madd(v128.load(z + colStep), h, e);
      f = madd(v128.load(z + 2 * colStep), h, f);
      p = z + apart;
    }
    if (q < end) {
      const g = v128.load(q);
      a = madd(v128.load(p), g, a);
      b = madd(v128.load(p + colStep), g, b);
      c = madd(v128.load(p + 2 * colStep), g, c);
    }
  }
  v128.store(w, f32x4.add(a, d));
  v128.store(w, f32x4.add(b, e), 16);
  v128.store(w, f32x4.add(c, f), 32);
}

/** One tap over a block, which may have no columns. */
function gradient1(x: usize, xRow: usize, apart: usize, dy: usize, dyRow: usize, pitch: usize, rows: i32, count: i32, w: usize): void {
  if (count <= 0) return;
  let a = v128.load(w);
  for (; rows > 0; rows--) {
    let p = x;
    let q = dy;
    x += xRow;
    dy += dyRow;
    for (const end = q + count * pitch; q < end; q += pitch) {
      a = madd(v128.load(p), v128.load(q), a);
      p += apart;
    }
  }
  v128.store(w, a);
}
