// Scores of two rows of queries with a panel of 16 items, the shape that engines keep in registers (see the product of backend-wasm).

/** a b + c in every lane. */
// @ts-ignore: decorator
@inline
export function madd(a: v128, b: v128, c: v128): v128 {
  return f32x4.add(c, f32x4.mul(a, b));
}

/** Turns four vectors of four rows into four of columns, 64 bytes apart. */
// @ts-ignore: decorator
@inline
function turn(r0: v128, r1: v128, r2: v128, r3: v128, to: usize): void {
  const t0 = v128.shuffle<f32>(r0, r1, 0, 4, 1, 5);
  const t1 = v128.shuffle<f32>(r2, r3, 0, 4, 1, 5);
  const t2 = v128.shuffle<f32>(r0, r1, 2, 6, 3, 7);
  const t3 = v128.shuffle<f32>(r2, r3, 2, 6, 3, 7);
  v128.store(to, v128.shuffle<f64>(t0, t1, 0, 2));
  v128.store(to, v128.shuffle<f64>(t0, t1, 1, 3), 64);
  v128.store(to, v128.shuffle<f64>(t2, t3, 0, 2), 128);
  v128.store(to, v128.shuffle<f64>(t2, t3, 1, 3), 192);
}

/** Packs 16 items of `depth` floats into a panel [depth][16]; items beyond `count` repeat the last. */
function packFloats(items: usize, count: usize, depth: usize, panel: usize): void {
  const pitch = depth << 2;
  const whole = depth & ~3;
  for (let group: usize = 0; group < 16; group += 4) {
    let p0 = items + min<usize>(group, count - 1) * pitch;
    let p1 = items + min<usize>(group + 1, count - 1) * pitch;
    let p2 = items + min<usize>(group + 2, count - 1) * pitch;
    let p3 = items + min<usize>(group + 3, count - 1) * pitch;
    let to = panel + group * 4;
    for (let k: usize = 0; k < whole; k += 4) {
      turn(v128.load(p0), v128.load(p1), v128.load(p2), v128.load(p3), to);
      p0 += 16;
      p1 += 16;
      p2 += 16;
      p3 += 16;
      to += 256;
    }
    for (let k = whole; k < depth; k++) {
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

/** Four codes as floats, times a scale. */
// @ts-ignore: decorator
@inline
function decode(from: usize, scale: v128): v128 {
  return f32x4.mul(f32x4.convert_i32x4_s(i32x4.extend_low_i16x8_s(i16x8.extend_low_i8x16_s(v128.load32_zero(from)))), scale);
}

/** Packs 16 items of int8 codes, four a word, with a scale each. The panel has `words` times 4 rows. */
function packCodes(items: usize, scales: usize, count: usize, words: usize, panel: usize): void {
  const pitch = words << 2;
  for (let group: usize = 0; group < 16; group += 4) {
    const i0 = min<usize>(group, count - 1);
    const i1 = min<usize>(group + 1, count - 1);
    const i2 = min<usize>(group + 2, count - 1);
    const i3 = min<usize>(group + 3, count - 1);
    const s0 = v128.load32_splat(scales + i0 * 4);
    const s1 = v128.load32_splat(scales + i1 * 4);
    const s2 = v128.load32_splat(scales + i2 * 4);
    const s3 = v128.load32_splat(scales + i3 * 4);
    let p0 = items + i0 * pitch;
    let p1 = items + i1 * pitch;
    let p2 = items + i2 * pitch;
    let p3 = items + i3 * pitch;
    let to = panel + group * 4;
    for (let k: usize = 0; k < words; k++) {
      turn(decode(p0, s0), decode(p1, s1), decode(p2, s2), decode(p3, s3), to);
      p0 += 4;
      p1 += 4;
      p2 += 4;
      p3 += 4;
      to += 256;
    }
  }
}

/** Packs items `first` to `first + count` (at most 16) of a matrix whose rows are `words` words: floats, or codes where there are scales. */
export function pack(items: usize, scales: usize, first: usize, count: usize, words: usize, panel: usize): void {
  const from = items + first * words * 4;
  if (scales == 0) packFloats(from, count, words, panel);
  else packCodes(from, scales + first * 4, count, words, panel);
}

/** Products of two queries with a panel: 2 x 16 floats to `tile`. */
export function products(q0: usize, q1: usize, depth: usize, panel: usize, tile: usize): void {
  let x0 = f32x4.splat(0);
  let x1 = x0;
  let x2 = x0;
  let x3 = x0;
  let y0 = x0;
  let y1 = x0;
  let y2 = x0;
  let y3 = x0;
  const end = q0 + (depth << 2);
  while (q0 < end) {
    const b0 = v128.load(panel);
    const b1 = v128.load(panel, 16);
    const b2 = v128.load(panel, 32);
    const b3 = v128.load(panel, 48);
    const p = v128.load_splat<f32>(q0);
    x0 = madd(p, b0, x0);
    x1 = madd(p, b1, x1);
    x2 = madd(p, b2, x2);
    x3 = madd(p, b3, x3);
    const q = v128.load_splat<f32>(q1);
    y0 = madd(q, b0, y0);
    y1 = madd(q, b1, y1);
    y2 = madd(q, b2, y2);
    y3 = madd(q, b3, y3);
    q0 += 4;
    q1 += 4;
    panel += 64;
  }
  v128.store(tile, x0);
  v128.store(tile, x1, 16);
  v128.store(tile, x2, 32);
  v128.store(tile, x3, 48);
  v128.store(tile, y0, 64);
  v128.store(tile, y1, 80);
  v128.store(tile, y2, 96);
  v128.store(tile, y3, 112);
}
