// AdamP in two passes: the moments and the sums of the projection, then the weight. The step is computed anew in the second pass, which is
// cheaper than keeping it.
import { direction, scaleOf } from '../_update.as';
import { decide, gather, gatherOne, plane } from '../projection/_projection.as';

export function adamP(
  value: usize,
  gradient: usize,
  first: usize,
  second: usize,
  scale: usize,
  valueOut: usize,
  firstOut: usize,
  secondOut: usize,
  view: usize,
  sums: usize,
  outer: usize,
  channels: usize,
  inner: usize,
  beta1: f32,
  gain1: f32,
  beta2: f32,
  gain2: f32,
  ahead: f32,
  now: f32,
  spread: f32,
  epsilon: f32,
  rate: f64,
  decay: f64,
  exactEpsilon: f64,
  delta: f64,
  wdRatio: f64,
  byRow: bool,
): void {
  const n = outer * channels * inner;
  const s = scaleOf(scale);
  if (!isFinite(s)) {
    memory.copy(valueOut, value, n << 2);
    memory.copy(firstOut, first, n << 2);
    memory.copy(secondOut, second, n << 2);
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
  const AHEAD = f32x4.splat(ahead);
  const NOW = f32x4.splat(now);
  const SPREAD = f32x4.splat(spread);
  const EPSILON = f32x4.splat(epsilon);
  const B1 = f32x4.splat(beta1);
  const C1 = f32x4.splat(gain1);
  const B2 = f32x4.splat(beta2);
  const C2 = f32x4.splat(gain2);
  let at: usize = 0;
  for (let r: usize = 0; r < runs; r++) {
    let to = inner == 1 ? sums : sums + ((r % channels) << 4);
    for (const end = at + ((run & ~3) << 2); at < end; at += 16) {
      const g = f32x4.mul(v128.load(gradient + at), S);
      const m = f32x4.add(f32x4.mul(B1, v128.load(first + at)), f32x4.mul(C1, g));
      const v = f32x4.add(f32x4.mul(B2, v128.load(second + at)), f32x4.mul(f32x4.mul(g, g), C2));
      v128.store(firstOut + at, m);
      v128.store(secondOut + at, v);
      gather(to, bytes, v128.load(value + at), g, direction(m, v, g, AHEAD, NOW, SPREAD, EPSILON));
      to += step;
    }
    for (const end = at + ((run & 3) << 2); at < end; at += 4) {
      const g = load<f32>(gradient + at) * s;
      const m = beta1 * load<f32>(first + at) + gain1 * g;
      const v = beta2 * load<f32>(second + at) + g * g * gain2;
      store<f32>(firstOut + at, m);
      store<f32>(secondOut + at, v);
      gatherOne(to, bytes, load<f32>(value + at), g, (ahead * m + now * g) / (spread * sqrt(v) + epsilon));
      to += step >> 2;
    }
  }

  store<f32>(view, decide(sums, outer, channels, inner, exactEpsilon, delta, wdRatio, byRow, rate, decay));

  const RATE = f32x4.splat(<f32>rate);
  at = 0;
  for (let r: usize = 0; r < runs; r++) {
    let from = inner == 1 ? sums : sums + ((r % channels) << 4);
    for (const end = at + ((run & ~3) << 2); at < end; at += 16) {
      const g = f32x4.mul(v128.load(gradient + at), S);
      const u = direction(v128.load(firstOut + at), v128.load(secondOut + at), g, AHEAD, NOW, SPREAD, EPSILON);
      v128.store(valueOut + at, f32x4.sub(f32x4.mul(v128.load(from), v128.load(value + at)), f32x4.mul(RATE, u)));
      from += step;
    }
    for (const end = at + ((run & 3) << 2); at < end; at += 4) {
      const numerator = ahead * load<f32>(firstOut + at) + now * (load<f32>(gradient + at) * s);
      const u = numerator / (spread * sqrt(load<f32>(secondOut + at)) + epsilon);
      store<f32>(valueOut + at, load<f32>(from) * load<f32>(value + at) - <f32>rate * u);
      from += step >> 2;
    }
  }
}
