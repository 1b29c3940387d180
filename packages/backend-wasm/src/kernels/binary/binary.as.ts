// Arithmetic, comparisons, maximum and minimum of two float32 arrays with broadcasting, and selection by a mask.

const ADD: i32 = 0;
const SUB: i32 = 1;
const MULTIPLY: i32 = 2;
const DIVIDE: i32 = 3;
const SQUARED_DIFFERENCE: i32 = 4;
const MAXIMUM: i32 = 5;
const MINIMUM: i32 = 6;
const EQUAL: i32 = 7;
const NOT_EQUAL: i32 = 8;
const GREATER: i32 = 9;
const GREATER_EQUAL: i32 = 10;
const LESS: i32 = 11;
const LESS_EQUAL: i32 = 12;

/** The value, and of comparisons a mask. A NaN comes through maximum and minimum, and compares unequal. */
// @ts-ignore: decorator
@inline
function pair(kind: i32, a: v128, b: v128): v128 {
  if (kind == ADD) return f32x4.add(a, b);
  if (kind == SUB) return f32x4.sub(a, b);
  if (kind == MULTIPLY) return f32x4.mul(a, b);
  if (kind == DIVIDE) return f32x4.div(a, b);
  if (kind == SQUARED_DIFFERENCE) {
    const difference = f32x4.sub(a, b);
    return f32x4.mul(difference, difference);
  }
  if (kind == MAXIMUM) return f32x4.max(a, b);
  if (kind == MINIMUM) return f32x4.min(a, b);
  if (kind == EQUAL) return f32x4.eq(a, b);
  if (kind == NOT_EQUAL) return f32x4.ne(a, b);
  if (kind == GREATER) return f32x4.gt(a, b);
  if (kind == GREATER_EQUAL) return f32x4.ge(a, b);
  if (kind == LESS) return f32x4.lt(a, b);
  return f32x4.le(a, b);
}

/** Four numbers, or one four times. */
// @ts-ignore: decorator
@inline
function four(x: usize, step: usize): v128 {
  return step == 0 ? v128.load32_splat(x) : v128.load(x);
}

/** A row of n numbers; steps are 4 or 0 bytes, the latter of one side at most. */
// @ts-ignore: decorator
@inline
function numbers(kind: i32, a: usize, stepA: usize, b: usize, stepB: usize, y: usize, n: usize): void {
  const end = y + n * 4;
  if (stepA == 0) {
    const p = v128.load32_splat(a);
    for (; y + 16 <= end; y += 16) {
      v128.store(y, pair(kind, p, v128.load(b)));
      b += 16;
    }
  } else if (stepB == 0) {
    const q = v128.load32_splat(b);
    for (; y + 16 <= end; y += 16) {
      v128.store(y, pair(kind, v128.load(a), q));
      a += 16;
    }
  } else {
    for (; y + 32 <= end; y += 32) {
      v128.store(y, pair(kind, v128.load(a), v128.load(b)));
      v128.store(y, pair(kind, v128.load(a, 16), v128.load(b, 16)), 16);
      a += 32;
      b += 32;
    }
    for (; y + 16 <= end; y += 16) {
      v128.store(y, pair(kind, v128.load(a), v128.load(b)));
      a += 16;
      b += 16;
    }
  }
  for (; y < end; y += 4) {
    v128.store32_lane(y, pair(kind, v128.load32_splat(a), v128.load32_splat(b)), 0);
    a += stepA;
    b += stepB;
  }
}

/** A row of n masks, as bytes. */
// @ts-ignore: decorator
@inline
function masks(kind: i32, a: usize, stepA: usize, b: usize, stepB: usize, y: usize, n: usize): void {
  const wideA = stepA * 4;
  const wideB = stepB * 4;
  const one = i8x16.splat(1);
  for (; n >= 16; n -= 16) {
    const p = pair(kind, four(a, stepA), four(b, stepB));
    const q = pair(kind, four(a + wideA, stepA), four(b + wideB, stepB));
    const r = pair(kind, four(a + 2 * wideA, stepA), four(b + 2 * wideB, stepB));
    const s = pair(kind, four(a + 3 * wideA, stepA), four(b + 3 * wideB, stepB));
    v128.store(y, v128.and(one, i8x16.narrow_i16x8_s(i16x8.narrow_i32x4_s(p, q), i16x8.narrow_i32x4_s(r, s))));
    a += 4 * wideA;
    b += 4 * wideB;
    y += 16;
  }
  for (; n > 0; n--) {
    store<u8>(y, <u8>(i32x4.extract_lane(pair(kind, v128.load32_splat(a), v128.load32_splat(b)), 0) & 1));
    a += stepA;
    b += stepB;
    y++;
  }
}

/**
 * All rows. `table` holds for each of `rank` outer axes, outermost first, four i32: its length, the bytes that a and b advance along it (0
 * where broadcast), and a counter. Along a row a and b advance by `stepA`, `stepB`.
 */
// @ts-ignore: decorator
@inline
function rows(kind: i32, a: usize, stepA: usize, b: usize, stepB: usize, y: usize, n: usize, rank: i32, table: usize): void {
  const bytes = n * (kind > MINIMUM ? 1 : 4);
  for (let axis = 0; axis < rank; axis++) store<i32>(table + axis * 16, 0, 12);
  while (true) {
    if (kind > MINIMUM) masks(kind, a, stepA, b, stepB, y, n);
    else numbers(kind, a, stepA, b, stepB, y, n);
    y += bytes;
    let axis = rank - 1;
    for (; axis >= 0; axis--) {
      const entry = table + axis * 16;
      const length = load<i32>(entry);
      const count = load<i32>(entry, 12) + 1;
      a += load<i32>(entry, 4);
      b += load<i32>(entry, 8);
      if (count < length) {
        store<i32>(entry, count, 12);
        break;
      }
      a -= length * load<i32>(entry, 4);
      b -= length * load<i32>(entry, 8);
      store<i32>(entry, 0, 12);
    }
    if (axis < 0) return;
  }
}

export function run(kind: i32, a: usize, stepA: usize, b: usize, stepB: usize, y: usize, n: usize, rank: i32, table: usize): void {
  if (kind == ADD) rows(ADD, a, stepA, b, stepB, y, n, rank, table);
  else if (kind == SUB) rows(SUB, a, stepA, b, stepB, y, n, rank, table);
  else if (kind == MULTIPLY) rows(MULTIPLY, a, stepA, b, stepB, y, n, rank, table);
  else if (kind == DIVIDE) rows(DIVIDE, a, stepA, b, stepB, y, n, rank, table);
  else if (kind == SQUARED_DIFFERENCE) rows(SQUARED_DIFFERENCE, a, stepA, b, stepB, y, n, rank, table);
  else if (kind == MAXIMUM) rows(MAXIMUM, a, stepA, b, stepB, y, n, rank, table);
  else if (kind == MINIMUM) rows(MINIMUM, a, stepA, b, stepB, y, n, rank, table);
  else if (kind == EQUAL) rows(EQUAL, a, stepA, b, stepB, y, n, rank, table);
  else if (kind == NOT_EQUAL) rows(NOT_EQUAL, a, stepA, b, stepB, y, n, rank, table);
  else if (kind == GREATER) rows(GREATER, a, stepA, b, stepB, y, n, rank, table);
  else if (kind == GREATER_EQUAL) rows(GREATER_EQUAL, a, stepA, b, stepB, y, n, rank, table);
  else if (kind == LESS) rows(LESS, a, stepA, b, stepB, y, n, rank, table);
  else rows(LESS_EQUAL, a, stepA, b, stepB, y, n, rank, table);
}

/** y = t where the mask of bytes is not 0, else e; n numbers of four bytes. */
export function select(mask: usize, t: usize, e: usize, y: usize, n: usize): void {
  for (; n >= 4; n -= 4) {
    const m = i32x4.ne(i32x4.extend_low_i16x8_u(i16x8.extend_low_i8x16_u(v128.load32_zero(mask))), i32x4.splat(0));
    v128.store(y, v128.bitselect(v128.load(t), v128.load(e), m));
    mask += 4;
    t += 16;
    e += 16;
    y += 16;
  }
  for (; n > 0; n--) {
    store<i32>(y, load<u8>(mask) != 0 ? load<i32>(t) : load<i32>(e));
    mask++;
    t += 4;
    e += 4;
    y += 4;
  }
}
