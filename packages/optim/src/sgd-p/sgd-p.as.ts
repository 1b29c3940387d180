// SGDP in two passes: the velocity and the sums of the projection, then the weight.
import { scaleOf } from '../_update.as';
import { decide, gather, gatherOne, plane } from '../projection/_projection.as';

export function sgdP(
  value: usize,
  gradient: usize,
  velocity: usize,
  scale: usize,
  valueOut: usize,
  velocityOut: usize,
  view: usize,
  sums: usize,
  outer: usize,
  channels: usize,
  inner: usize,
  momentum: f32,
  gain: f32,
  ahead: f32,
  now: f32,
  projectVelocity: bool,
  rate: f64,
  decay: f64,
  epsilon: f64,
  delta: f64,
  wdRatio: f64,
  byRow: bool,
): void {
  const n = outer * channels * inner;
  const s = scaleOf(scale);
  if (!isFinite(s)) {
    memory.copy(valueOut, value, n << 2);
    memory.copy(velocityOut, velocity, n << 2);
    store<f32>(view, 0);
    return;
  }
  const bytes = plane(channels, inner);
  memory.fill(sums, 0, 4 * bytes);
  // A run of memory, and how far sums move with four of its elements.
  const run = inner == 1 ? channels : inner;
  const runs = n / run;
  const step: usize = inner == 1 ? 16 : 0;
  const S = f32x4.splat(s);
  const MOMENTUM = f32x4.splat(momentum);
  const GAIN = f32x4.splat(gain);
  const AHEAD = f32x4.splat(ahead);
  const NOW = f32x4.splat(now);
  let at: usize = 0;
  for (let r: usize = 0; r < runs; r++) {
    let to = inner == 1 ? sums : sums + ((r % channels) << 4);
    for (const end = at + ((run & ~3) << 2); at < end; at += 16) {
      const g = f32x4.mul(v128.load(gradient + at), S);
      const v = f32x4.add(f32x4.mul(MOMENTUM, v128.load(velocity + at)), f32x4.mul(GAIN, g));
      v128.store(velocityOut + at, v);
      gather(to, bytes, v128.load(value + at), g, f32x4.add(f32x4.mul(AHEAD, v), f32x4.mul(NOW, g)));
      to += step;
    }
    for (const end = at + ((run & 3) << 2); at < end; at += 4) {
      const g = load<f32>(gradient + at) * s;
      const v = momentum * load<f32>(velocity + at) + gain * g;
      store<f32>(velocityOut + at, v);
      gatherOne(to, bytes, load<f32>(value + at), g, ahead * v + now * g);
      to += step >> 2;
    }
  }

  store<f32>(view, decide(sums, outer, channels, inner, epsilon, delta, wdRatio, byRow, rate, decay));

  const RATE = f32x4.splat(<f32>rate);
  at = 0;
  for (let r: usize = 0; r < runs; r++) {
    let from = inner == 1 ? sums : sums + ((r % channels) << 4);
    for (const end = at + ((run & ~3) << 2); at < end; at += 16) {
      const w = v128.load(value + at);
      const v = v128.load(velocityOut + at);
      const u = f32x4.add(f32x4.mul(AHEAD, v), f32x4.mul(NOW, f32x4.mul(v128.load(gradient + at), S)));
      v128.store(valueOut + at, f32x4.sub(f32x4.mul(v128.load(from), w), f32x4.mul(RATE, u)));
      if (projectVelocity) v128.store(velocityOut + at, f32x4.sub(v, f32x4.mul(v128.load(from + bytes), w)));
      from += step;
    }
    for (const end = at + ((run & 3) << 2); at < end; at += 4) {
      const w = load<f32>(value + at);
      const v = load<f32>(velocityOut + at);
      const u = ahead * v + now * (load<f32>(gradient + at) * s);
      store<f32>(valueOut + at, load<f32>(from) * w - <f32>rate * u);
      if (projectVelocity) store<f32>(velocityOut + at, v - load<f32>(from + bytes) * w);
      from += step >> 2;
    }
  }
}
