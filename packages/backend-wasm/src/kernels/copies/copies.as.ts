// Rows of bytes from one place to another: what joins and parts tensors.

/** Copies `rows` rows of `bytes` bytes; they begin `from` bytes apart in x and `to` bytes apart in y. */
export function copyRows(x: usize, from: usize, y: usize, to: usize, rows: usize, bytes: usize): void {
  for (; rows > 0; rows--) {
    let p = x;
    let q = y;
    const end = x + bytes;
    for (; p + 64 <= end; p += 64) {
      const a = v128.load(p);
      const b = v128.load(p, 16);
      const c = v128.load(p, 32);
      const d = v128.load(p, 48);
      v128.store(q, a);
      v128.store(q, b, 16);
      v128.store(q, c, 32);
      v128.store(q, d, 48);
      q += 64;
    }
    for (; p + 16 <= end; p += 16) {
      v128.store(q, v128.load(p));
      q += 16;
    }
    for (; p + 4 <= end; p += 4) {
      store<u32>(q, load<u32>(p));
      q += 4;
    }
    for (; p < end; p++) {
      store<u8>(q, load<u8>(p));
      q++;
    }
    x += from;
    y += to;
  }
}
