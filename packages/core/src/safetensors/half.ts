// 16-bit floats as their bits, to float32 and back. Bits go through integer views, so that NaNs keep what they carry.

/** float32 values of IEEE binary16 bits. Exact. */
export function widenHalf(bits: Uint16Array): Float32Array {
  const values = new Float32Array(bits.length);
  const words = new Uint32Array(values.buffer);
  for (let i = 0; i < bits.length; i++) {
    const half = bits[i]!;
    const exponent = (half >> 10) & 0x1f;
    const fraction = half & 0x3ff;
    const sign = (half & 0x8000) << 16;
    if (exponent === 0) {
      // Below the smallest normal number, and 0.
      values[i] = fraction * 2 ** -24;
      words[i]! |= sign;
    } else {
      words[i] = sign | ((exponent === 0x1f ? 0xff : exponent + 112) << 23) | (fraction << 13);
    }
  }
  return values;
}

/** float32 values of bfloat16 bits. Exact. */
export function widenBfloat(bits: Uint16Array): Float32Array {
  const words = new Uint32Array(bits.length);
  for (let i = 0; i < bits.length; i++) words[i] = bits[i]! << 16;
  return new Float32Array(words.buffer);
}

function wordsOf(values: Float32Array): Uint32Array {
  return new Uint32Array(values.buffer, values.byteOffset, values.length);
}

/** IEEE binary16 bits of float32 values, to nearest, ties to even; what is too large becomes infinite. */
export function narrowToHalf(values: Float32Array): Uint16Array {
  const words = wordsOf(values);
  const bits = new Uint16Array(values.length);
  for (let i = 0; i < bits.length; i++) {
    const sign = (words[i]! >>> 16) & 0x8000;
    const word = words[i]! & 0x7fffffff;
    let half: number;
    if (word > 0x7f800000) half = 0x7e00 | ((word >>> 13) & 0x3ff);
    else if (word >= 0x47800000) half = 0x7c00;
    // Adding 2^52 leaves no bits for a fraction: the sum is rounded, to even where it is a tie.
    else if (word < 0x38800000) half = Math.abs(values[i]!) * 2 ** 24 + 2 ** 52 - 2 ** 52;
    else half = (word - 0x38000000 + 0xfff + ((word >>> 13) & 1)) >>> 13;
    bits[i] = sign | half;
  }
  return bits;
}

/** bfloat16 bits of float32 values, to nearest, ties to even; what is too large becomes infinite. */
export function narrowToBfloat(values: Float32Array): Uint16Array {
  const words = wordsOf(values);
  const bits = new Uint16Array(values.length);
  for (let i = 0; i < bits.length; i++) {
    const word = words[i]!;
    const isNaN = (word & 0x7fffffff) > 0x7f800000;
    bits[i] = isNaN ? (word >>> 16) | 0x40 : (word + 0x7fff + ((word >>> 16) & 1)) >>> 16;
  }
  return bits;
}
