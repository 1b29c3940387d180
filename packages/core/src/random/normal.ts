// Box-Muller in float32, step by step as in random.as.ts, so that WASM gives the same bits. random.wgsl is the same up to what a GPU rounds.
const LN2 = 0.6931471824645996;
/** The unit of an angle that is an integer: 2^26 of them are half a turn. */
const ANGLE = 4.6813379839250047e-8;

/** The same four bytes as a number and as its bits. */
interface Scratch {
  readonly float: Float32Array;
  readonly word: Uint32Array;
}

/** ln(a / 2^32), by the series of artanh around a power of two; 0 counts as 1. Of `a` the leading 24 bits count, which float32 holds. */
function logOf(a: number, { float, word }: Scratch): number {
  const f = Math.fround;
  float[0] = (a & ~(0xff >>> Math.clz32(a))) >>> 0 || 1;
  // The mantissa from sqrt(1/2) to sqrt(2), so that no sum below cancels.
  const shifted = word[0]! + (0x3f800000 - 0x3f3504f3);
  const exponent = (shifted >>> 23) - 127 - 32;
  word[0] = (shifted & 0x7fffff) + 0x3f3504f3;
  const mantissa = float[0]!;
  const s = f(f(mantissa - 1) / f(mantissa + 1));
  const z = f(s * s);
  let series = f(1 / 9);
  series = f(f(series * z) + f(1 / 7));
  series = f(f(series * z) + f(1 / 5));
  series = f(f(series * z) + f(1 / 3));
  series = f(f(series * z) + 1);
  return f(f(exponent * LN2) + f(f(2 * s) * series));
}

/** Two independent standard normal numbers of two random words, into `out`. */
function putPair(a: number, b: number, out: Float32Array, at: number, scratch: Scratch): void {
  const f = Math.fround;
  const radius = f(Math.sqrt(f(-2 * logOf(a, scratch))));
  // The turn b / 2^32 as its nearest quarter and what is left, at most an eighth.
  const quarter = ((b + 0x20000000) >>> 30) & 3;
  const x = f(((b - (quarter << 30)) >> 5) * ANGLE);
  const z = f(x * x);
  let sine = f(1 / 362880);
  sine = f(f(sine * z) - f(1 / 5040));
  sine = f(f(sine * z) + f(1 / 120));
  sine = f(f(sine * z) - f(1 / 6));
  sine = f(f(f(sine * z) * x) + x);
  let cosine = f(1 / 40320);
  cosine = f(f(cosine * z) - f(1 / 720));
  cosine = f(f(cosine * z) + f(1 / 24));
  cosine = f(f(cosine * z) - 0.5);
  cosine = f(f(cosine * z) + 1);
  const first = quarter & 1 ? sine : cosine;
  const second = quarter & 1 ? cosine : sine;
  const along = f(radius * first);
  const across = f(radius * second);
  out[at] = quarter === 1 || quarter === 2 ? -along : along;
  if (at + 1 < out.length) out[at + 1] = quarter >= 2 ? -across : across;
}

/** Standard normal numbers of random words, pair by pair; `words` has as many words or, for an odd count, one more. */
export function normalOf(words: Uint32Array, count: number): Float32Array {
  const values = new Float32Array(count);
  const float = new Float32Array(1);
  const scratch = { float, word: new Uint32Array(float.buffer) };
  for (let i = 0; i < count; i += 2) putPair(words[i]!, words[i + 1]!, values, i, scratch);
  return values;
}

/** Numbers of [0, 1) with 24 bits each, exact in float32. */
export function uniformOf(words: Uint32Array, count: number): Float32Array {
  const values = new Float32Array(count);
  for (let i = 0; i < count; i++) values[i] = (words[i]! >>> 8) * 2 ** -24;
  return values;
}
