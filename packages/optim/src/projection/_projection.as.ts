// Sums over the rows of a weight, which is seen as [outer, channels, inner], and what the projection makes of them. There are four planes of
// sums: |w|^2, |g|^2, g w and w u. Where neighbours belong to different channels (inner = 1) a plane has a number a channel, else four lanes.

/** Bytes of a plane. */
export function plane(channels: usize, inner: usize): usize {
  return channels << (inner == 1 ? 2 : 4);
}

/** Adds four elements. */
// @ts-ignore: decorator
@inline
export function gather(to: usize, bytes: usize, w: v128, g: v128, u: v128): void {
  v128.store(to, f32x4.add(v128.load(to), f32x4.mul(w, w)));
  v128.store(to + bytes, f32x4.add(v128.load(to + bytes), f32x4.mul(g, g)));
  v128.store(to + 2 * bytes, f32x4.add(v128.load(to + 2 * bytes), f32x4.mul(g, w)));
  v128.store(to + 3 * bytes, f32x4.add(v128.load(to + 3 * bytes), f32x4.mul(w, u)));
}

/** Adds one element. */
// @ts-ignore: decorator
@inline
export function gatherOne(to: usize, bytes: usize, w: f32, g: f32, u: f32): void {
  store<f32>(to, load<f32>(to) + w * w);
  store<f32>(to + bytes, load<f32>(to + bytes) + g * g);
  store<f32>(to + 2 * bytes, load<f32>(to + 2 * bytes) + g * w);
  store<f32>(to + 3 * bytes, load<f32>(to + 3 * bytes) + w * u);
}

/** A channel's sum of one plane. */
function sumOf(at: usize, lanes: i32): f64 {
  if (lanes == 1) return <f64>load<f32>(at);
  return <f64>load<f32>(at) + <f64>load<f32>(at, 4) + (<f64>load<f32>(at, 8) + <f64>load<f32>(at, 12));
}

function isInvariant(ww: f64, gg: f64, gw: f64, elements: f64, delta: f64, epsilon: f64): bool {
  const norms = max<f64>(sqrt<f64>(gg), epsilon) * max<f64>(sqrt<f64>(ww), epsilon);
  return abs<f64>(gw) / norms < delta / sqrt<f64>(elements);
}

function alongOf(ww: f64, wu: f64, epsilon: f64): f64 {
  const norm = sqrt<f64>(ww) + epsilon;
  return wu / (norm * norm);
}

/**
 * Chooses the view: 0 none, 1 rows, 2 the whole tensor. The first plane then holds what each channel's weights are multiplied by in the
 * step, 1 - decay ratio + rate along, and the second holds `along`, what of the weight is taken out of the step.
 */
export function decide(
  sums: usize,
  outer: usize,
  channels: usize,
  inner: usize,
  epsilon: f64,
  delta: f64,
  wdRatio: f64,
  byRow: bool,
  rate: f64,
  decay: f64,
): f32 {
  const bytes = plane(channels, inner);
  const lanes: i32 = inner == 1 ? 1 : 4;
  const length = <f64>(outer * inner);
  let passing: usize = 0;
  let ww: f64 = 0;
  let gg: f64 = 0;
  let gw: f64 = 0;
  let wu: f64 = 0;
  for (let at = sums; at < sums + bytes; at += lanes << 2) {
    const a = sumOf(at, lanes);
    const b = sumOf(at + bytes, lanes);
    const c = sumOf(at + 2 * bytes, lanes);
    if (isInvariant(a, b, c, length, delta, epsilon)) passing++;
    ww += a;
    gg += b;
    gw += c;
    wu += sumOf(at + 3 * bytes, lanes);
  }
  const all = passing == channels;
  const rows = all || (byRow && passing > 0);
  const whole = !rows && !byRow && isInvariant(ww, gg, gw, length * <f64>channels, delta, epsilon);
  for (let at = sums; at < sums + bytes; at += lanes << 2) {
    const a = sumOf(at, lanes);
    const projected = whole || (rows && (all || isInvariant(a, sumOf(at + bytes, lanes), sumOf(at + 2 * bytes, lanes), length, delta, epsilon)));
    const along = projected ? (whole ? alongOf(ww, wu, epsilon) : alongOf(a, sumOf(at + 3 * bytes, lanes), epsilon)) : 0;
    const keep = 1 - decay * (projected ? wdRatio : 1) + rate * along;
    for (let lane = 0; lane < lanes; lane++) {
      store<f32>(at + (lane << 2), <f32>keep);
      store<f32>(at + bytes + (lane << 2), <f32>along);
    }
  }
  return rows ? 1 : whole ? 2 : 0;
}
