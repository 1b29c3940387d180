struct Params {
  size: u32, has_scale: u32, outer: u32, channels: u32, inner: u32, blocks: u32,
  momentum: f32, gain: f32, ahead: f32, now: f32,
}

@group(0) @binding(0) var<storage, read> value: array<f32>;
@group(0) @binding(1) var<storage, read> gradient: array<f32>;
@group(0) @binding(2) var<storage, read> velocity: array<f32>;
@group(0) @binding(3) var<storage, read> scale: array<f32>;
// [blocks, channels]
@group(0) @binding(4) var<storage, read_write> partials: array<vec4f>;
@group(0) @binding(5) var<uniform> params: Params;

fn step_of(i: u32, g: f32) -> f32 {
  return sgd(g, velocity[i]).step;
}
