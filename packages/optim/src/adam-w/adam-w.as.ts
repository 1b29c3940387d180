// AdamW in one pass: four streams are read and three are written.
import { direction, scaleOf } from '../_update.as';

export function adamW(
  value: usize,
  gradient: usize,
  first: usize,
  second: usize,
  scale: usize,
  valueOut: usize,
  firstOut: usize,
  secondOut: usize,
  n: usize,
  beta1: f32,
  gain1: f32,
  beta2: f32,
  gain2: f32,
  ahead: f32,
  now: f32,
  spread: f32,
  epsilon: f32,
  rate: f32,
  keep: f32,
): void {
  const s = scaleOf(scale);
  if (!isFinite(s)) {
    memory.copy(valueOut, value, n << 2);
    memory.copy(firstOut, first, n << 2);
    memory.copy(secondOut, second, n << 2);
    return;
  }
  const S = f32x4.splat(s);
  const B1 = f32x4.splat(beta1);
  const C1 = f32x4.splat(gain1);
  const B2 = f32x4.splat(beta2);
  const C2 = f32x4.splat(gain2);
  const AHEAD = f32x4.splat(ahead);
  const NOW = f32x4.splat(now);
  const SPREAD = f32x4.splat(spread);
  const EPSILON = f32x4.splat(epsilon);
  const RATE = f32x4.splat(rate);
  const KEEP = f32x4.splat(keep);
  let at: usize = 0;
  for (const end = (n & ~3) << 2; at < end; at += 16) {
    const g = f32x4.mul(v128.load(gradient + at), S);
    const m = f32x4.add(f32x4.mul(B1, v128.load(first + at)), f32x4.mul(C1, g));
    const v = f32x4.add(f32x4.mul(B2, v128.load(second + at)), f32x4.mul(f32x4.mul(g, g), C2));
    const u = direction(m, v, g, AHEAD, NOW, SPREAD, EPSILON);
    v128.store(firstOut + at, m);
    v128.store(secondOut + at, v);
    v128.store(valueOut + at, f32x4.sub(f32x4.mul(KEEP, v128.load(value + at)), f32x4.mul(RATE, u)));
  }
  for (const end = n << 2; at < end; at += 4) {
    const g = load<f32>(gradient + at) * s;
    const m = beta1 * load<f32>(first + at) + gain1 * g;
    const v = beta2 * load<f32>(second + at) + g * g * gain2;
    store<f32>(firstOut + at, m);
    store<f32>(secondOut + at, v);
    store<f32>(valueOut + at, keep * load<f32>(value + at) - rate * ((ahead * m + now * g) / (spread * sqrt(v) + epsilon)));
  }
}
