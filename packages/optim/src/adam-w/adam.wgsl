// Adam's moments and step, without its rate.
struct Moments { first: f32, second: f32, step: f32 }

fn adam(g: f32, first: f32, second: f32) -> Moments {
  let m = params.beta1 * first + params.gain1 * g;
  let v = params.beta2 * second + params.gain2 * (g * g);
  return Moments(m, v, (params.ahead * m + params.now * g) / (params.spread * sqrt(v) + params.epsilon));
}
