// Conversions of types that tfjs gets wrong.

/** y = x is not 0, as a byte; x of n float32 (a NaN is not 0). */
export function floatsToBool(x: usize, y: usize, n: usize): void {
  for (let i: usize = 0; i < n; i++) store<u8>(y + i, load<f32>(x + i * 4) != 0 ? 1 : 0);
}

/** The same of int32. */
export function integersToBool(x: usize, y: usize, n: usize): void {
  for (let i: usize = 0; i < n; i++) store<u8>(y + i, load<i32>(x + i * 4) != 0 ? 1 : 0);
}

/** y[i, ids[i]] = on, all else off: numbers of `bytes` (4 or 1) bytes, given as bits. Ids outside 0 .. depth - 1 leave a row of off. */
export function oneHot(ids: usize, n: usize, depth: usize, on: i32, off: i32, bytes: usize, y: usize): void {
  for (let i: usize = 0; i < n; i++) {
    const id = <usize>load<u32>(ids + i * 4);
    for (let d: usize = 0; d < depth; d++) {
      const value = d == id ? on : off;
      if (bytes == 4) store<i32>(y, value);
      else store<u8>(y, <u8>value);
      y += bytes;
    }
  }
}
