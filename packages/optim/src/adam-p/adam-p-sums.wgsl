struct Params {
  size: u32, has_scale: u32, outer: u32, channels: u32, inner: u32, blocks: u32,
  beta1: f32, gain1: f32, beta2: f32, gain2: f32, ahead: f32, now: f32, spread: f32, epsilon: f32,
}

@group(0) @binding(0) var<storage, read> value: array<f32>;
@group(0) @binding(1) var<storage, read> gradient: array<f32>;
@group(0) @binding(2) var<storage, read> first: array<f32>;
@group(0) @binding(3) var<storage, read> second: array<f32>;
@group(0) @binding(4) var<storage, read> scale: array<f32>;
// [blocks, channels]
@group(0) @binding(5) var<storage, read_write> partials: array<vec4f>;
@group(0) @binding(6) var<uniform> params: Params;

fn step_of(i: u32, g: f32) -> f32 {
  return adam(g, first[i], second[i]).step;
}
