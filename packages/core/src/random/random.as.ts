// features: scalar
// Random words, uniform and normal numbers of a sequence, block by block; see normal.ts for the steps of Box-Muller.
import { draw, uniformOf, w0, w1, w2, w3 } from './_philox.as';

/** Stores the first `count` of four words. */
function put(y: usize, count: u32, a: u32, b: u32, c: u32, d: u32): void {
  store<u32>(y, a);
  if (count > 1) store<u32>(y, b, 4);
  if (count > 2) store<u32>(y, c, 8);
  if (count > 3) store<u32>(y, d, 12);
}

export function bits(y: usize, size: u32, low: u32, high: u32, k0: u32, k1: u32): void {
  let block = (<u64>high << 32) | low;
  for (let at: u32 = 0; at < size; at += 4) {
    draw(block++, k0, k1);
    put(y + (<usize>at << 2), size - at, w0, w1, w2, w3);
  }
}

export function uniform(y: usize, size: u32, low: u32, high: u32, k0: u32, k1: u32): void {
  let block = (<u64>high << 32) | low;
  for (let at: u32 = 0; at < size; at += 4) {
    draw(block++, k0, k1);
    const a = reinterpret<u32>(uniformOf(w0));
    const b = reinterpret<u32>(uniformOf(w1));
    const c = reinterpret<u32>(uniformOf(w2));
    const d = reinterpret<u32>(uniformOf(w3));
    put(y + (<usize>at << 2), size - at, a, b, c, d);
  }
}

function logOf(a: u32): f32 {
  const leading = a == 0 ? <u32>1 : a & ~(<u32>0xff >> clz(a));
  const shifted = reinterpret<u32>(<f32>leading) + (0x3f800000 - 0x3f3504f3);
  const exponent = <i32>(shifted >> 23) - 159;
  const mantissa = reinterpret<f32>((shifted & 0x7fffff) + 0x3f3504f3);
  const s = (mantissa - 1) / (mantissa + 1);
  const z = s * s;
  let series: f32 = 1.0 / 9.0;
  series = series * z + <f32>(1.0 / 7.0);
  series = series * z + <f32>(1.0 / 5.0);
  series = series * z + <f32>(1.0 / 3.0);
  series = series * z + 1;
  return <f32>exponent * <f32>0.6931471805599453 + 2 * s * series;
}

let along: f32 = 0;
let across: f32 = 0;

function pair(a: u32, b: u32): void {
  const radius = sqrt<f32>(-2 * logOf(a));
  const quarter = ((b + 0x20000000) >> 30) & 3;
  const x = <f32>(<i32>(b - (quarter << 30)) >> 5) * <f32>4.681337853654911e-8;
  const z = x * x;
  let sine: f32 = 1.0 / 362880.0;
  sine = sine * z - <f32>(1.0 / 5040.0);
  sine = sine * z + <f32>(1.0 / 120.0);
  sine = sine * z - <f32>(1.0 / 6.0);
  sine = sine * z * x + x;
  let cosine: f32 = 1.0 / 40320.0;
  cosine = cosine * z - <f32>(1.0 / 720.0);
  cosine = cosine * z + <f32>(1.0 / 24.0);
  cosine = cosine * z - <f32>0.5;
  cosine = cosine * z + 1;
  const swapped = (quarter & 1) != 0;
  along = radius * (swapped ? sine : cosine);
  across = radius * (swapped ? cosine : sine);
  if (quarter == 1 || quarter == 2) along = -along;
  if (quarter >= 2) across = -across;
}

export function normal(y: usize, size: u32, low: u32, high: u32, k0: u32, k1: u32): void {
  let block = (<u64>high << 32) | low;
  for (let at: u32 = 0; at < size; at += 4) {
    draw(block++, k0, k1);
    pair(w0, w1);
    const a = reinterpret<u32>(along);
    const b = reinterpret<u32>(across);
    pair(w2, w3);
    put(y + (<usize>at << 2), size - at, a, b, reinterpret<u32>(along), reinterpret<u32>(across));
  }
}
