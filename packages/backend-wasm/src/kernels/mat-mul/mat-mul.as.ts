// C[M,N] = activation(op(A) op(B) + bias) for one matrix, f32, blocked and packed.
//
// B is packed into panels [kc][16] so that the inner loop reads it in order; A is walked in place by row pointers, and packed only when
// it is transposed (strides of a power of two would thrash L1). The micro-kernel holds 2 x 16 of C in eight registers: the widest tile
// that V8's register allocation keeps without spilling when it hoists a loop body's loads. It is not unrolled over k, for the same reason.

// variants: relaxed

import { madd } from '../_madd.as';

const NR: usize = 16;
/** Depth of a packed panel: 512 x 16 floats are 32 KB. */
const KC: usize = 512;
/** Rows of A per block: with KC they are 256 KB, which stay in L2 while all panels of B pass by. */
const MC: usize = 128;
/** Up to so many rows, packing B costs more than it saves. */
const FEW: usize = 4;

// @ts-ignore: decorator
@inline
function min(a: usize, b: usize): usize {
  return a < b ? a : b;
}

/** Floats of scratch that `gemm` needs for an A with this column stride: a packed block of B, one of A, and an edge tile. */
export function scratchFloats(m: usize, n: usize, k: usize, acs: usize): usize {
  if (m <= FEW && acs == 4) return (k + 2) * NR;
  const kc = min(k, KC);
  return ((n + NR - 1) / NR) * NR * kc + min(m, MC) * kc + 2 * NR;
}

/** Packs B[k0.., :] of `rows` rows into panels; columns beyond n are zero. `rs` and `cs` are B's strides in bytes. */
function packB(b: usize, rs: usize, cs: usize, rows: usize, n: usize, target: usize): void {
  for (let j: usize = 0; j < n; j += NR) {
    const width = min(NR, n - j);
    if (cs == 4 && width == NR) {
      let from = b + j * 4;
      for (let k: usize = 0; k < rows; k++) {
        v128.store(target, v128.load(from));
        v128.store(target, v128.load(from, 16), 16);
        v128.store(target, v128.load(from, 32), 32);
        v128.store(target, v128.load(from, 48), 48);
        target += 64;
        from += rs;
      }
      continue;
    }
    if (rs == 4 && width == NR) {
      packTransposed(b + j * cs, cs, rows, target);
      target += rows * 64;
      continue;
    }
    for (let k: usize = 0; k < rows; k++) {
      let from = b + k * rs + j * cs;
      for (let w: usize = 0; w < width; w++) {
        store<f32>(target + w * 4, load<f32>(from));
        from += cs;
      }
      for (let w = width; w < NR; w++) store<f32>(target + w * 4, 0);
      target += 64;
    }
  }
}

/** One panel of a transposed B: 16 rows of length `rows`, `cs` bytes apart, turned by 4 x 4 shuffles. */
function packTransposed(b: usize, cs: usize, rows: usize, target: usize): void {
  const whole = rows & ~3;
  for (let group: usize = 0; group < 4; group++) {
    let p0 = b + group * 4 * cs;
    let p1 = p0 + cs;
    let p2 = p1 + cs;
    let p3 = p2 + cs;
    let to = target + group * 16;
    for (let k: usize = 0; k < whole; k += 4) {
      const r0 = v128.load(p0);
      const r1 = v128.load(p1);
      const r2 = v128.load(p2);
      const r3 = v128.load(p3);
      const t0 = v128.shuffle<f32>(r0, r1, 0, 4, 1, 5);
      const t1 = v128.shuffle<f32>(r2, r3, 0, 4, 1, 5);
      const t2 = v128.shuffle<f32>(r0, r1, 2, 6, 3, 7);
      const t3 = v128.shuffle<f32>(r2, r3, 2, 6, 3, 7);
      v128.store(to, v128.shuffle<f64>(t0, t1, 0, 2));
      v128.store(to, v128.shuffle<f64>(t0, t1, 1, 3), 64);
      v128.store(to, v128.shuffle<f64>(t2, t3, 0, 2), 128);
      v128.store(to, v128.shuffle<f64>(t2, t3, 1, 3), 192);
      p0 += 16;
      p1 += 16;
      p2 += 16;
      p3 += 16;
      to += 256;
    }
    for (let k = whole; k < rows; k++) {
      store<f32>(to, load<f32>(p0));
      store<f32>(to, load<f32>(p1), 4);
      store<f32>(to, load<f32>(p2), 8);
      store<f32>(to, load<f32>(p3), 12);
      p0 += 4;
      p1 += 4;
      p2 += 4;
      p3 += 4;
      to += 64;
    }
  }
}

/** Packs a transposed block of A (`rows` x `depth`, element (i, k) at a + k * cs + i * 4) into row-major rows. */
function packA(a: usize, cs: usize, rows: usize, depth: usize, target: usize): void {
  const pitch = depth * 4;
  const wholeRows = rows & ~3;
  const wholeDepth = depth & ~3;
  for (let i: usize = 0; i < wholeRows; i += 4) {
    let from = a + i * 4;
    let to = target + i * pitch;
    for (let k: usize = 0; k < wholeDepth; k += 4) {
      const r0 = v128.load(from);
      const r1 = v128.load(from + cs);
      const r2 = v128.load(from + 2 * cs);
      const r3 = v128.load(from + 3 * cs);
      const t0 = v128.shuffle<f32>(r0, r1, 0, 4, 1, 5);
      const t1 = v128.shuffle<f32>(r2, r3, 0, 4, 1, 5);
      const t2 = v128.shuffle<f32>(r0, r1, 2, 6, 3, 7);
      const t3 = v128.shuffle<f32>(r2, r3, 2, 6, 3, 7);
      v128.store(to, v128.shuffle<f64>(t0, t1, 0, 2));
      v128.store(to + pitch, v128.shuffle<f64>(t0, t1, 1, 3));
      v128.store(to + 2 * pitch, v128.shuffle<f64>(t2, t3, 0, 2));
      v128.store(to + 3 * pitch, v128.shuffle<f64>(t2, t3, 1, 3));
      from += 4 * cs;
      to += 16;
    }
    for (let k = wholeDepth; k < depth; k++) {
      for (let r: usize = 0; r < 4; r++) store<f32>(to + r * pitch, load<f32>(from + r * 4));
      from += cs;
      to += 4;
    }
  }
  for (let i = wholeRows; i < rows; i++) {
    for (let k: usize = 0; k < depth; k++) store<f32>(target + i * pitch + k * 4, load<f32>(a + k * cs + i * 4));
  }
}

/**
 * C[2,16] = start + A[2,depth] B[depth,16]. Rows of B are `pitch` bytes apart: 64 in a packed panel. `s0`, `s1` is where the sums start:
 * rows of C, or of a bias, or null for zero.
 */
function tile2(depth: usize, a0: usize, a1: usize, b: usize, pitch: usize, c0: usize, c1: usize, s0: usize, s1: usize): void {
  let x0 = f32x4.splat(0);
  let x1 = x0;
  let x2 = x0;
  let x3 = x0;
  let y0 = x0;
  let y1 = x0;
  let y2 = x0;
  let y3 = x0;
  // By pieces, though most products are one: around an inner loop some engines spill what only the rest of the function needs, and leave its
  // registers to the sums. A tenth faster in Node 20.
  while (depth > 0) {
    const some = min(depth, KC);
    depth -= some;
    const end = a0 + some * 4;
    while (a0 < end) {
      const b0 = v128.load(b);
      const b1 = v128.load(b, 16);
      const b2 = v128.load(b, 32);
      const b3 = v128.load(b, 48);
      const p = v128.load_splat<f32>(a0);
      x0 = madd(p, b0, x0);
      x1 = madd(p, b1, x1);
      x2 = madd(p, b2, x2);
      x3 = madd(p, b3, x3);
      const q = v128.load_splat<f32>(a1);
      y0 = madd(q, b0, y0);
      y1 = madd(q, b1, y1);
      y2 = madd(q, b2, y2);
      y3 = madd(q, b3, y3);
      a0 += 4;
      a1 += 4;
      b += pitch;
    }
  }
  if (s0 != 0) {
    x0 = f32x4.add(x0, v128.load(s0));
    x1 = f32x4.add(x1, v128.load(s0, 16));
    x2 = f32x4.add(x2, v128.load(s0, 32));
    x3 = f32x4.add(x3, v128.load(s0, 48));
    y0 = f32x4.add(y0, v128.load(s1));
    y1 = f32x4.add(y1, v128.load(s1, 16));
    y2 = f32x4.add(y2, v128.load(s1, 32));
    y3 = f32x4.add(y3, v128.load(s1, 48));
  }
  v128.store(c0, x0);
  v128.store(c0, x1, 16);
  v128.store(c0, x2, 32);
  v128.store(c0, x3, 48);
  v128.store(c1, y0);
  v128.store(c1, y1, 16);
  v128.store(c1, y2, 32);
  v128.store(c1, y3, 48);
}

/** `rows` (1 or 2) x `width` (1..16) of C at the matrix's edge, by way of a full tile in scratch. Starts from rows `pitch` apart at `start`. */
function edgeTile(depth: usize, a0: usize, a1: usize, panel: usize, c: usize, ldc: usize, rows: usize, width: usize, start: usize, pitch: usize, tile: usize): void {
  tile2(depth, a0, a1, panel, 64, tile, tile + 64, 0, 0);
  for (let r: usize = 0; r < rows; r++) {
    for (let w: usize = 0; w < width; w++) {
      const value = load<f32>(tile + r * 64 + w * 4);
      store<f32>(c + r * ldc + w * 4, start != 0 ? load<f32>(start + r * pitch + w * 4) + value : value);
    }
  }
}

const RELU: i32 = 1;
const RELU6: i32 = 2;
const LEAKY: i32 = 3;

/** Activation of `count` floats in place. A NaN stays one. */
export function activate(x: usize, count: usize, kind: i32, alpha: f32): void {
  if (kind == 0) return;
  const zero = f32x4.splat(0);
  const six = f32x4.splat(6);
  const slope = f32x4.splat(alpha);
  const end = x + count * 4;
  for (; x + 16 <= end; x += 16) {
    const v = v128.load(x);
    if (kind == LEAKY) v128.store(x, v128.bitselect(v, f32x4.mul(v, slope), f32x4.gt(v, zero)));
    else if (kind == RELU) v128.store(x, f32x4.max(v, zero));
    else v128.store(x, f32x4.min(f32x4.max(v, zero), six));
  }
  for (; x < end; x += 4) {
    const v = load<f32>(x);
    if (kind == LEAKY) store<f32>(x, v > 0 ? v : v * alpha);
    else store<f32>(x, kind == RELU6 ? min32(max32(v, 0), 6) : max32(v, 0));
  }
}

// @ts-ignore: decorator
@inline
function max32(a: f32, b: f32): f32 {
  return f32x4.extract_lane(f32x4.max(f32x4.splat(a), f32x4.splat(b)), 0);
}

// @ts-ignore: decorator
@inline
function min32(a: f32, b: f32): f32 {
  return f32x4.extract_lane(f32x4.min(f32x4.splat(a), f32x4.splat(b)), 0);
}

// @ts-ignore: decorator
@inline
function total(v: v128): f32 {
  const pair = f32x4.add(v, v128.shuffle<f32>(v, v, 2, 3, 0, 1));
  return f32x4.extract_lane(pair, 0) + f32x4.extract_lane(pair, 1);
}

/** Few rows times a transposed B: dot products along both rows, where packing B would cost more than it saves. Four columns at a time. */
function dotRows(a: usize, ars: usize, b: usize, bcs: usize, c: usize, m: usize, n: usize, k: usize, bias: usize): void {
  const whole = k & ~3;
  for (let i: usize = 0; i < m; i++) {
    for (let j: usize = 0; j < n; j += 4) {
      // Columns beyond the last repeat it.
      let b0 = b + j * bcs;
      let b1 = b + min(j + 1, n - 1) * bcs;
      let b2 = b + min(j + 2, n - 1) * bcs;
      let b3 = b + min(j + 3, n - 1) * bcs;
      let x = a + i * ars;
      let s0 = f32x4.splat(0);
      let s1 = s0;
      let s2 = s0;
      let s3 = s0;
      const end = x + whole * 4;
      while (x < end) {
        const v = v128.load(x);
        s0 = madd(v, v128.load(b0), s0);
        s1 = madd(v, v128.load(b1), s1);
        s2 = madd(v, v128.load(b2), s2);
        s3 = madd(v, v128.load(b3), s3);
        x += 16;
        b0 += 16;
        b1 += 16;
        b2 += 16;
        b3 += 16;
      }
      let d0 = total(s0);
      let d1 = total(s1);
      let d2 = total(s2);
      let d3 = total(s3);
      for (let rest = whole; rest < k; rest++) {
        const v = load<f32>(x);
        d0 += v * load<f32>(b0);
        d1 += v * load<f32>(b1);
        d2 += v * load<f32>(b2);
        d3 += v * load<f32>(b3);
        x += 4;
        b0 += 4;
        b1 += 4;
        b2 += 4;
        b3 += 4;
      }
      const target = c + (i * n + j) * 4;
      const from = bias + j * 4;
      store<f32>(target, bias != 0 ? d0 + load<f32>(from) : d0);
      if (j + 1 < n) store<f32>(target, bias != 0 ? d1 + load<f32>(from, 4) : d1, 4);
      if (j + 2 < n) store<f32>(target, bias != 0 ? d2 + load<f32>(from, 8) : d2, 8);
      if (j + 3 < n) store<f32>(target, bias != 0 ? d3 + load<f32>(from, 12) : d3, 12);
    }
  }
}

/** C[1,32] = start + A[1,depth] B[depth,32]: a single row fills the registers with columns instead. */
function tile1(depth: usize, a: usize, b: usize, pitch: usize, c: usize, start: usize): void {
  let x0 = f32x4.splat(0);
  let x1 = x0;
  let x2 = x0;
  let x3 = x0;
  let x4 = x0;
  let x5 = x0;
  let x6 = x0;
  let x7 = x0;
  const end = a + depth * 4;
  while (a < end) {
    const p = v128.load_splat<f32>(a);
    x0 = madd(p, v128.load(b), x0);
    x1 = madd(p, v128.load(b, 16), x1);
    x2 = madd(p, v128.load(b, 32), x2);
    x3 = madd(p, v128.load(b, 48), x3);
    x4 = madd(p, v128.load(b, 64), x4);
    x5 = madd(p, v128.load(b, 80), x5);
    x6 = madd(p, v128.load(b, 96), x6);
    x7 = madd(p, v128.load(b, 112), x7);
    a += 4;
    b += pitch;
  }
  if (start != 0) {
    x0 = f32x4.add(x0, v128.load(start));
    x1 = f32x4.add(x1, v128.load(start, 16));
    x2 = f32x4.add(x2, v128.load(start, 32));
    x3 = f32x4.add(x3, v128.load(start, 48));
    x4 = f32x4.add(x4, v128.load(start, 64));
    x5 = f32x4.add(x5, v128.load(start, 80));
    x6 = f32x4.add(x6, v128.load(start, 96));
    x7 = f32x4.add(x7, v128.load(start, 112));
  }
  v128.store(c, x0);
  v128.store(c, x1, 16);
  v128.store(c, x2, 32);
  v128.store(c, x3, 48);
  v128.store(c, x4, 64);
  v128.store(c, x5, 80);
  v128.store(c, x6, 96);
  v128.store(c, x7, 112);
}

/** Few rows times a plain B: its rows are read in place; only a last panel of fewer than 16 columns is packed. */
function fewRows(a: usize, ars: usize, b: usize, brs: usize, c: usize, m: usize, n: usize, k: usize, bias: usize, scratch: usize): void {
  const ldc = n * 4;
  let j: usize = 0;
  if (m == 1) for (; j + 2 * NR <= n; j += 2 * NR) tile1(k, a, b + j * 4, brs, c + j * 4, bias != 0 ? bias + j * 4 : 0);
  for (; j + NR <= n; j += NR) {
    const start = bias != 0 ? bias + j * 4 : 0;
    for (let i: usize = 0; i < m; i += 2) {
      const next = min(i + 1, m - 1);
      tile2(k, a + i * ars, a + next * ars, b + j * 4, brs, c + i * ldc + j * 4, c + next * ldc + j * 4, start, start);
    }
  }
  const rest = n % NR;
  if (rest == 0) return;
  const panel = scratch + 2 * NR * 4;
  const start = bias != 0 ? bias + j * 4 : 0;
  packB(b + j * 4, brs, 4, k, rest, panel);
  for (let i: usize = 0; i < m; i += 2) {
    const rows = min(2, m - i);
    const row = a + i * ars;
    edgeTile(k, row, rows == 2 ? row + ars : row, panel, c + i * ldc + j * 4, ldc, rows, rest, start, 0, scratch);
  }
}

/**
 * C[m,n] = activation(op(A) op(B) + bias), row-major. `ars`, `acs` are the strides of op(A) in bytes between rows and between columns,
 * `brs`, `bcs` those of op(B): a transposed matrix has them exchanged, and one of each pair is 4. `bias` holds n floats, or is null.
 */
export function gemm(a: usize, ars: usize, acs: usize, b: usize, brs: usize, bcs: usize, c: usize, m: usize, n: usize, k: usize, bias: usize, kind: i32, alpha: f32, scratch: usize): void {
  if (m <= FEW && acs == 4) {
    if (bcs == 4) fewRows(a, ars, b, brs, c, m, n, k, bias, scratch);
    else dotRows(a, ars, b, bcs, c, m, n, k, bias);
    activate(c, m * n, kind, alpha);
    return;
  }
  const kcMax = min(k, KC);
  const packedB = scratch;
  const rest = packedB + ((n + NR - 1) / NR) * NR * kcMax * 4;
  for (let k0: usize = 0; k0 < k || k0 == 0; k0 += KC) {
    const depth = min(KC, k - k0);
    packB(b + k0 * brs, brs, bcs, depth, n, packedB);
    slab(a + k0 * acs, ars, acs, depth, packedB, c, m, n, k0 > 0, k0 + depth == k, bias, kind, alpha, rest);
  }
}

/** Adds to C, all its rows, what `depth` columns of op(A) from `a` on and a packed slab of B give. `first` and `last` slabs start and finish C. */
function slab(a: usize, ars: usize, acs: usize, depth: usize, packedB: usize, c: usize, m: usize, n: usize, accumulate: bool, last: bool, bias: usize, kind: i32, alpha: f32, scratch: usize): void {
  const ldc = n * 4;
  const packedA = scratch;
  const tile = packedA + min(m, MC) * depth * 4;
  for (let i0: usize = 0; i0 < m; i0 += MC) {
    const rows = min(MC, m - i0);
    let block = a + i0 * ars;
    let pitch = ars;
    if (acs != 4) {
      packA(block, acs, rows, depth, packedA);
      block = packedA;
      pitch = depth * 4;
    }
    blockTimesPanels(block, pitch, rows, depth, packedB, c + i0 * ldc, n, accumulate, bias, tile);
    if (last) activate(c + i0 * ldc, rows * n, kind, alpha);
  }
}

/** Packs all of B, slab after slab, for `gemmPacked`. The target holds k times n floats, n rounded up to 16. */
export function packAll(b: usize, brs: usize, bcs: usize, n: usize, k: usize, target: usize): void {
  const width = ((n + NR - 1) / NR) * NR;
  for (let k0: usize = 0; k0 < k; k0 += KC) packB(b + k0 * brs, brs, bcs, min(KC, k - k0), n, target + k0 * width * 4);
}

/** `gemm` with a B that `packAll` has packed, k > 0: for callers who share it among ranges of rows. The same operations in the same order. */
export function gemmPacked(a: usize, ars: usize, acs: usize, packedB: usize, c: usize, m: usize, n: usize, k: usize, bias: usize, kind: i32, alpha: f32, scratch: usize): void {
  const width = ((n + NR - 1) / NR) * NR;
  for (let k0: usize = 0; k0 < k; k0 += KC) {
    const depth = min(KC, k - k0);
    slab(a + k0 * acs, ars, acs, depth, packedB + k0 * width * 4, c, m, n, k0 > 0, k0 + depth == k, bias, kind, alpha, scratch);
  }
}

/** A block of rows of C from packed panels of B. The sums start from C where `accumulate`, else from the bias. */
function blockTimesPanels(block: usize, pitch: usize, rows: usize, depth: usize, panel: usize, c: usize, n: usize, accumulate: bool, bias: usize, tile: usize): void {
  const ldc = n * 4;
  const even = rows & ~1;
  for (let j: usize = 0; j < n; j += NR) {
    const width = min(NR, n - j);
    let row = block;
    let target = c + j * 4;
    const biasHere = bias != 0 ? bias + j * 4 : 0;
    const startPitch = accumulate ? ldc : 0;
    for (let i: usize = 0; i < even; i += 2) {
      const start = accumulate ? target : biasHere;
      if (width == NR) tile2(depth, row, row + pitch, panel, 64, target, target + ldc, start, start + startPitch);
      else edgeTile(depth, row, row + pitch, panel, target, ldc, 2, width, start, startPitch, tile);
      row += 2 * pitch;
      target += 2 * ldc;
    }
    if (even < rows) edgeTile(depth, row, row, panel, target, ldc, 1, width, accumulate ? target : biasHere, startPitch, tile);
    panel += depth * 64;
  }
}
