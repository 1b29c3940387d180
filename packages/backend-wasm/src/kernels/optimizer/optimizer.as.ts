// Updates of parameters in place, in one pass over them: bound by bytes.

/**
 * Adam: m = b1 m + c1 g, v = b2 v + c2 g^2, with c1 = 1 - b1 and c2 = 1 - b2 of double precision (in float32 the latter has three digits), p = keep p - rate m / (sqrt(v) spread + epsilon). `rate` and `spread` contain the
 * corrections of m and v for their start at zero, `keep` the decoupled decay.
 */
export function adam(p: usize, g: usize, m: usize, v: usize, n: usize, b1: f32, c1: f32, b2: f32, c2: f32, rate: f32, spread: f32, epsilon: f32, keep: f32): void {
  const B1 = f32x4.splat(b1);
  const B2 = f32x4.splat(b2);
  const C1 = f32x4.splat(c1);
  const C2 = f32x4.splat(c2);
  const RATE = f32x4.splat(rate);
  const SPREAD = f32x4.splat(spread);
  const EPSILON = f32x4.splat(epsilon);
  const KEEP = f32x4.splat(keep);
  const end = p + (n & ~3) * 4;
  while (p < end) {
    const gradient = v128.load(g);
    const first = f32x4.add(f32x4.mul(B1, v128.load(m)), f32x4.mul(C1, gradient));
    const second = f32x4.add(f32x4.mul(B2, v128.load(v)), f32x4.mul(C2, f32x4.mul(gradient, gradient)));
    v128.store(m, first);
    v128.store(v, second);
    const step = f32x4.div(f32x4.mul(RATE, first), f32x4.add(f32x4.mul(f32x4.sqrt(second), SPREAD), EPSILON));
    v128.store(p, f32x4.sub(f32x4.mul(KEEP, v128.load(p)), step));
    p += 16;
    g += 16;
    m += 16;
    v += 16;
  }
  for (n &= 3; n > 0; n--) {
    const gradient = load<f32>(g);
    const first = b1 * load<f32>(m) + c1 * gradient;
    const second = b2 * load<f32>(v) + c2 * (gradient * gradient);
    store<f32>(m, first);
    store<f32>(v, second);
    store<f32>(p, keep * load<f32>(p) - (rate * first) / (sqrt(second) * spread + epsilon));
    p += 4;
    g += 4;
    m += 4;
    v += 4;
  }
}

/** Momentum: a = momentum a + g + decay p, p = p - rate a, or with Nesterov's look ahead p = p - rate (g + decay p + momentum a). */
export function momentum(p: usize, g: usize, a: usize, n: usize, keep: f32, rate: f32, decay: f32, nesterov: bool): void {
  const KEEP = f32x4.splat(keep);
  const RATE = f32x4.splat(rate);
  const DECAY = f32x4.splat(decay);
  const end = p + (n & ~3) * 4;
  while (p < end) {
    const value = v128.load(p);
    const gradient = f32x4.add(v128.load(g), f32x4.mul(DECAY, value));
    const velocity = f32x4.add(f32x4.mul(KEEP, v128.load(a)), gradient);
    v128.store(a, velocity);
    const step = nesterov ? f32x4.add(gradient, f32x4.mul(KEEP, velocity)) : velocity;
    v128.store(p, f32x4.sub(value, f32x4.mul(RATE, step)));
    p += 16;
    g += 16;
    a += 16;
  }
  for (n &= 3; n > 0; n--) {
    const value = load<f32>(p);
    const gradient = load<f32>(g) + decay * value;
    const velocity = keep * load<f32>(a) + gradient;
    store<f32>(a, velocity);
    store<f32>(p, value - rate * (nesterov ? gradient + keep * velocity : velocity));
    p += 4;
    g += 4;
    a += 4;
  }
}
