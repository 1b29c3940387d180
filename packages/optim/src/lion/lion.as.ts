// Lion in one pass: three streams are read and two are written.
import { scaleOf } from '../_update.as';

export function lion(
  value: usize,
  gradient: usize,
  momentum: usize,
  scale: usize,
  valueOut: usize,
  momentumOut: usize,
  n: usize,
  beta1: f32,
  gain1: f32,
  beta2: f32,
  gain2: f32,
  rate: f32,
  keep: f32,
): void {
  const s = scaleOf(scale);
  if (!isFinite(s)) {
    memory.copy(valueOut, value, n << 2);
    memory.copy(momentumOut, momentum, n << 2);
    return;
  }
  const S = f32x4.splat(s);
  const B1 = f32x4.splat(beta1);
  const C1 = f32x4.splat(gain1);
  const B2 = f32x4.splat(beta2);
  const C2 = f32x4.splat(gain2);
  const UP = f32x4.splat(rate);
  const DOWN = f32x4.splat(-rate);
  const ZERO = f32x4.splat(0);
  const KEEP = f32x4.splat(keep);
  let at: usize = 0;
  for (const end = (n & ~3) << 2; at < end; at += 16) {
    const g = f32x4.mul(v128.load(gradient + at), S);
    const m = v128.load(momentum + at);
    const mix = f32x4.add(f32x4.mul(B1, m), f32x4.mul(C1, g));
    const step = v128.or(v128.and(f32x4.gt(mix, ZERO), UP), v128.and(f32x4.lt(mix, ZERO), DOWN));
    v128.store(momentumOut + at, f32x4.add(f32x4.mul(B2, m), f32x4.mul(C2, g)));
    v128.store(valueOut + at, f32x4.sub(f32x4.mul(KEEP, v128.load(value + at)), step));
  }
  for (const end = n << 2; at < end; at += 4) {
    const g = load<f32>(gradient + at) * s;
    const m = load<f32>(momentum + at);
    const mix = beta1 * m + gain1 * g;
    const step: f32 = mix > 0 ? rate : mix < 0 ? -rate : 0;
    store<f32>(momentumOut + at, beta2 * m + gain2 * g);
    store<f32>(valueOut + at, keep * load<f32>(value + at) - step);
  }
}
