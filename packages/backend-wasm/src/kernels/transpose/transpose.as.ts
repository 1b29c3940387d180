// Matrices of four-byte elements transposed, four by four in registers; blocks of rows and columns keep both sides' lines in L1.

const BLOCK: usize = 32;

// @ts-ignore: decorator
@inline
function min(a: usize, b: usize): usize {
  return a < b ? a : b;
}

/** y[batch, columns, rows] = x[batch, rows, columns]. */
export function transpose(x: usize, y: usize, batch: usize, rows: usize, columns: usize): void {
  for (let i: usize = 0; i < batch; i++) {
    for (let r: usize = 0; r < rows; r += BLOCK) {
      for (let c: usize = 0; c < columns; c += BLOCK) {
        block(x + (r * columns + c) * 4, y + (c * rows + r) * 4, min(BLOCK, rows - r), min(BLOCK, columns - c), columns * 4, rows * 4);
      }
    }
    x += rows * columns * 4;
    y += rows * columns * 4;
  }
}

function block(x: usize, y: usize, rows: usize, columns: usize, from: usize, to: usize): void {
  let r: usize = 0;
  for (; r + 4 <= rows; r += 4) {
    let p = x + r * from;
    let q = y + r * 4;
    let c: usize = 0;
    for (; c + 4 <= columns; c += 4) {
      const r0 = v128.load(p);
      const r1 = v128.load(p + from);
      const r2 = v128.load(p + 2 * from);
      const r3 = v128.load(p + 3 * from);
      const t0 = v128.shuffle<f32>(r0, r1, 0, 4, 1, 5);
      const t1 = v128.shuffle<f32>(r2, r3, 0, 4, 1, 5);
      const t2 = v128.shuffle<f32>(r0, r1, 2, 6, 3, 7);
      const t3 = v128.shuffle<f32>(r2, r3, 2, 6, 3, 7);
      v128.store(q, v128.shuffle<f64>(t0, t1, 0, 2));
      v128.store(q + to, v128.shuffle<f64>(t0, t1, 1, 3));
      v128.store(q + 2 * to, v128.shuffle<f64>(t2, t3, 0, 2));
      v128.store(q + 3 * to, v128.shuffle<f64>(t2, t3, 1, 3));
      p += 16;
      q += 4 * to;
    }
    for (; c < columns; c++) {
      for (let k: usize = 0; k < 4; k++) store<i32>(q + k * 4, load<i32>(p + k * from));
      p += 4;
      q += to;
    }
  }
  for (; r < rows; r++) {
    for (let c: usize = 0; c < columns; c++) store<i32>(y + c * to + r * 4, load<i32>(x + r * from + c * 4));
  }
}
