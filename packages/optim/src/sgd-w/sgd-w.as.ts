// SGDW in one pass: three streams are read and two are written.
import { scaleOf } from '../_update.as';

export function sgdW(
  value: usize,
  gradient: usize,
  velocity: usize,
  scale: usize,
  valueOut: usize,
  velocityOut: usize,
  n: usize,
  momentum: f32,
  gain: f32,
  ahead: f32,
  now: f32,
  rate: f32,
  keep: f32,
): void {
  const s = scaleOf(scale);
  if (!isFinite(s)) {
    memory.copy(valueOut, value, n << 2);
    memory.copy(velocityOut, velocity, n << 2);
    return;
  }
  const S = f32x4.splat(s);
  const MOMENTUM = f32x4.splat(momentum);
  const GAIN = f32x4.splat(gain);
  const AHEAD = f32x4.splat(ahead);
  const NOW = f32x4.splat(now);
  const RATE = f32x4.splat(rate);
  const KEEP = f32x4.splat(keep);
  let at: usize = 0;
  for (const end = (n & ~3) << 2; at < end; at += 16) {
    const g = f32x4.mul(v128.load(gradient + at), S);
    const v = f32x4.add(f32x4.mul(MOMENTUM, v128.load(velocity + at)), f32x4.mul(GAIN, g));
    const u = f32x4.add(f32x4.mul(AHEAD, v), f32x4.mul(NOW, g));
    v128.store(velocityOut + at, v);
    v128.store(valueOut + at, f32x4.sub(f32x4.mul(KEEP, v128.load(value + at)), f32x4.mul(RATE, u)));
  }
  for (const end = n << 2; at < end; at += 4) {
    const g = load<f32>(gradient + at) * s;
    const v = momentum * load<f32>(velocity + at) + gain * g;
    store<f32>(velocityOut + at, v);
    store<f32>(valueOut + at, keep * load<f32>(value + at) - rate * (ahead * v + now * g));
  }
}
