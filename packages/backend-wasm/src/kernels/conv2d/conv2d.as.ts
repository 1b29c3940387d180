// 2-D convolution on NHWC, f32, as an implicit matrix product: nothing is unfolded.
//
// The input is padded once into scratch (not at all where nothing needs padding). A row of a filter window is then one run of memory,
// columns times channels long, so the product's inner loop walks runs of x by pointers, as `gemm` walks rows of A. Weights are packed into
// panels of 16 output channels. The tile is 2 pixels x 16 channels, in registers through all of the window.

// variants: relaxed

import { madd } from '../_madd.as';

const NR: usize = 16;

// @ts-ignore: decorator
@inline
function min(a: usize, b: usize): usize {
  return a < b ? a : b;
}

/** Copies [n, h, w, c] into [n, h + top + bottom, w + left + right, c] with zeros around. Sizes in elements. */
export function pad(x: usize, y: usize, n: usize, h: usize, w: usize, c: usize, top: usize, bottom: usize, left: usize, right: usize): void {
  const row = w * c * 4;
  const before = left * c * 4;
  const after = right * c * 4;
  const full = row + before + after;
  for (let i: usize = 0; i < n; i++) {
    memory.fill(y, 0, top * full);
    y += top * full;
    for (let r: usize = 0; r < h; r++) {
      memory.fill(y, 0, before);
      memory.copy(y + before, x, row);
      memory.fill(y + before + row, 0, after);
      x += row;
      y += full;
    }
    memory.fill(y, 0, bottom * full);
    y += bottom * full;
  }
}

/** Packs weights [depth, channels] into panels [depth][16]; channels beyond the last are zero. */
export function packWeights(w: usize, depth: usize, channels: usize, target: usize): void {
  for (let j: usize = 0; j < channels; j += NR) {
    const width = min(NR, channels - j);
    let from = w + j * 4;
    for (let k: usize = 0; k < depth; k++) {
      if (width == NR) {
        v128.store(target, v128.load(from));
        v128.store(target, v128.load(from, 16), 16);
        v128.store(target, v128.load(from, 32), 32);
        v128.store(target, v128.load(from, 48), 48);
      } else {
        for (let i: usize = 0; i < width; i++) store<f32>(target + i * 4, load<f32>(from + i * 4));
        for (let i = width; i < NR; i++) store<f32>(target + i * 4, 0);
      }
      from += channels * 4;
      target += 64;
    }
  }
}

/**
 * Weights of the input gradient, [rows, cols, co, ci], out of the forward's [kh, kw, ci, co]: every `stride`-th tap from (r0, c0), in
 * reverse order, channels exchanged.
 */
export function flipWeights(w: usize, kh: usize, kw: usize, ci: usize, co: usize, r0: usize, c0: usize, strideH: usize, strideW: usize, target: usize): void {
  const rows = (kh - r0 + strideH - 1) / strideH;
  const cols = (kw - c0 + strideW - 1) / strideW;
  for (let r: usize = 0; r < rows; r++) {
    for (let s: usize = 0; s < cols; s++) {
      const tap = w + ((r0 + (rows - 1 - r) * strideH) * kw + c0 + (cols - 1 - s) * strideW) * ci * co * 4;
      for (let o: usize = 0; o < co; o++) {
        let from = tap + o * 4;
        for (let i: usize = 0; i < ci; i++) {
          store<f32>(target, load<f32>(from));
          from += co * 4;
          target += 4;
        }
      }
    }
  }
}

/** y[2 pixels, 16] = start + the window's sum. The window is `rows` x `runs` runs of `run` floats. */
function tile2(p0: usize, p1: usize, rows: usize, rowStep: usize, runs: usize, runStep: usize, run: usize, panel: usize, y0: usize, y1: usize, start: usize): void {
  let a0 = f32x4.splat(0);
  let a1 = a0;
  let a2 = a0;
  let a3 = a0;
  let b0 = a0;
  let b1 = a0;
  let b2 = a0;
  let b3 = a0;
  for (let r: usize = 0; r < rows; r++) {
    for (let s: usize = 0; s < runs; s++) {
      let q0 = p0 + r * rowStep + s * runStep;
      let q1 = p1 + r * rowStep + s * runStep;
      const end = q0 + run * 4;
      while (q0 < end) {
        const w0 = v128.load(panel);
        const w1 = v128.load(panel, 16);
        const w2 = v128.load(panel, 32);
        const w3 = v128.load(panel, 48);
        const x0 = v128.load_splat<f32>(q0);
        a0 = madd(x0, w0, a0);
        a1 = madd(x0, w1, a1);
        a2 = madd(x0, w2, a2);
        a3 = madd(x0, w3, a3);
        const x1 = v128.load_splat<f32>(q1);
        b0 = madd(x1, w0, b0);
        b1 = madd(x1, w1, b1);
        b2 = madd(x1, w2, b2);
        b3 = madd(x1, w3, b3);
        q0 += 4;
        q1 += 4;
        panel += 64;
      }
    }
  }
  if (start != 0) {
    const s0 = v128.load(start);
    const s1 = v128.load(start, 16);
    const s2 = v128.load(start, 32);
    const s3 = v128.load(start, 48);
    a0 = f32x4.add(a0, s0);
    a1 = f32x4.add(a1, s1);
    a2 = f32x4.add(a2, s2);
    a3 = f32x4.add(a3, s3);
    b0 = f32x4.add(b0, s0);
    b1 = f32x4.add(b1, s1);
    b2 = f32x4.add(b2, s2);
    b3 = f32x4.add(b3, s3);
  }
  v128.store(y0, a0);
  v128.store(y0, a1, 16);
  v128.store(y0, a2, 32);
  v128.store(y0, a3, 48);
  v128.store(y1, b0);
  v128.store(y1, b1, 16);
  v128.store(y1, b2, 32);
  v128.store(y1, b3, 48);
}

/** Pixels per block: a panel of weights passes over so many before the next panel's turn. */
const BLOCK: usize = 64;

/**
 * y[n, oh, ow, co] = x convolved with packed weights. x is padded already.
 * Steps and pitches are in bytes: `image`, `strideH`, `strideW` between windows of x; `rowStep`, `runStep` within a window; `yImage`, `yRow`,
 * `yPixel` of y. `bias` holds co floats padded to a multiple of 16, or is null. `tile` is scratch of 32 floats; `table` of 2 BLOCK addresses.
 */
export function convolve(x: usize, n: usize, oh: usize, ow: usize, image: usize, strideH: usize, strideW: usize, rows: usize, rowStep: usize, runs: usize, runStep: usize, run: usize, weights: usize, co: usize, y: usize, yImage: usize, yRow: usize, yPixel: usize, bias: usize, tile: usize, table: usize): void {
  const pixels = n * oh * ow;
  const depth = rows * runs * run;
  // The pixel that comes next, as image, row and column.
  let i: usize = 0;
  let r: usize = 0;
  let c: usize = 0;
  for (let first: usize = 0; first < pixels; first += BLOCK) {
    const count = min(BLOCK, pixels - first);
    for (let p: usize = 0; p < count; p++) {
      store<usize>(table + p * 8, x + i * image + r * strideH + c * strideW);
      store<usize>(table + p * 8, y + i * yImage + r * yRow + c * yPixel, 4);
      if (++c == ow) {
        c = 0;
        if (++r == oh) {
          r = 0;
          i++;
        }
      }
    }
    let panel = weights;
    for (let j: usize = 0; j < co; j += NR) {
      const start = bias != 0 ? bias + j * 4 : 0;
      const width = min(NR, co - j);
      for (let p: usize = 0; p < count; p += 2) {
        const at = table + p * 8;
        const other = p + 1 < count ? at + 8 : at;
        const y0 = load<usize>(at, 4) + j * 4;
        const y1 = load<usize>(other, 4) + j * 4;
        if (width == NR) {
          tile2(load<usize>(at), load<usize>(other), rows, rowStep, runs, runStep, run, panel, y0, y1, start);
        } else {
          tile2(load<usize>(at), load<usize>(other), rows, rowStep, runs, runStep, run, panel, tile, tile + 64, start);
          memory.copy(y0, tile, width * 4);
          memory.copy(y1, tile + 64, width * 4);
        }
      }
      panel += depth * 64;
    }
  }
}

/** dw[2 channels, 16] += the sum over a block of output rows of x[channel] dy[16]. */
function gradTile(x: usize, xRow: usize, xPixel: usize, dy: usize, dyRow: usize, dyPixel: usize, rows: usize, cols: usize, w0: usize, w1: usize, second: usize): void {
  let a0 = v128.load(w0);
  let a1 = v128.load(w0, 16);
  let a2 = v128.load(w0, 32);
  let a3 = v128.load(w0, 48);
  let b0 = v128.load(w1);
  let b1 = v128.load(w1, 16);
  let b2 = v128.load(w1, 32);
  let b3 = v128.load(w1, 48);
  // Pointers to rows and no row number: what the loops do not need leaves its register to what they do.
  for (; rows > 0; rows--) {
    let p = x;
    let q = dy;
    x += xRow;
    dy += dyRow;
    const end = q + cols * dyPixel;
    while (q < end) {
      const g0 = v128.load(q);
      const g1 = v128.load(q, 16);
      const g2 = v128.load(q, 32);
      const g3 = v128.load(q, 48);
      const x0 = v128.load_splat<f32>(p);
      a0 = madd(x0, g0, a0);
      a1 = madd(x0, g1, a1);
      a2 = madd(x0, g2, a2);
      a3 = madd(x0, g3, a3);
      const x1 = v128.load_splat<f32>(p + second);
      b0 = madd(x1, g0, b0);
      b1 = madd(x1, g1, b1);
      b2 = madd(x1, g2, b2);
      b3 = madd(x1, g3, b3);
      p += xPixel;
      q += dyPixel;
    }
  }
  v128.store(w0, a0);
  v128.store(w0, a1, 16);
  v128.store(w0, a2, 32);
  v128.store(w0, a3, 48);
  if (second == 0) return;
  v128.store(w1, b0);
  v128.store(w1, b1, 16);
  v128.store(w1, b2, 32);
  v128.store(w1, b3, 48);
}

/** What a block of rows of x and dy may hold for its lines to stay in L1 while all taps pass over them. */
const L1: usize = 24576;

/**
 * dw += x^T dy over all windows: the filter's gradient. `dw` is scratch in panels [panel][depth][16], zeroed by this function. dy's channels
 * are `panels` x 16, and windows of x as in `convolve`.
 */
export function filterGradient(x: usize, n: usize, oh: usize, ow: usize, image: usize, strideH: usize, strideW: usize, rows: usize, rowStep: usize, runs: usize, runStep: usize, run: usize, dy: usize, panels: usize, dw: usize): void {
  const depth = rows * runs * run;
  const dyPixel = panels * 64;
  const dyRow = ow * dyPixel;
  memory.fill(dw, 0, panels * depth * 64);
  const line = ow * (strideW + 64);
  const some = L1 / line;
  const block = min(some > 0 ? some : 1, oh);
  for (let i: usize = 0; i < n; i++) {
    for (let r0: usize = 0; r0 < oh; r0 += block) {
      const count = min(block, oh - r0);
      for (let j: usize = 0; j < panels; j++) {
        const g = dy + (i * oh + r0) * dyRow + j * 64;
        let w = dw + j * depth * 64;
        for (let r: usize = 0; r < rows; r++) {
          for (let s: usize = 0; s < runs; s++) {
            const from = x + i * image + r0 * strideH + r * rowStep + s * runStep;
            for (let c: usize = 0; c < run; c += 2) {
              const second: usize = c + 1 < run ? 4 : 0;
              gradTile(from + c * 4, strideH, strideW, g, dyRow, dyPixel, count, ow, w, w + second * 16, second);
              w += 64 + second * 16;
            }
          }
        }
      }
    }
  }
}

/** Panels [panel][depth][16] as [depth, channels]. */
export function unpack(panels: usize, depth: usize, channels: usize, target: usize): void {
  for (let j: usize = 0; j < channels; j += NR) {
    const width = min(NR, channels - j) * 4;
    for (let k: usize = 0; k < depth; k++) {
      memory.copy(target + (k * channels + j) * 4, panels, width);
      panels += 64;
    }
  }
}

/** Copies `count` rows of `width` floats into rows of `wider` floats, with zeros behind. */
export function widen(x: usize, y: usize, count: usize, width: usize, wider: usize): void {
  for (let i: usize = 0; i < count; i++) {
    memory.copy(y, x, width * 4);
    memory.fill(y + width * 4, 0, (wider - width) * 4);
    x += width * 4;
    y += wider * 4;
  }
}
