// The velocity of SGD with momentum and its step, without its rate.
struct Movement { velocity: f32, step: f32 }

fn sgd(g: f32, velocity: f32) -> Movement {
  let v = params.momentum * velocity + params.gain * g;
  return Movement(v, params.ahead * v + params.now * g);
}
