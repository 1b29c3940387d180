// AdamP after its decision, an element a thread.
struct Params {
  size: u32, has_scale: u32, channels: u32, inner: u32,
  beta1: f32, gain1: f32, beta2: f32, gain2: f32, ahead: f32, now: f32, spread: f32, epsilon: f32,
  rate: f32,
}

// Seven storage buffers and the factors make the eight that every device has: the scale is in the factors' last place.
@group(0) @binding(0) var<storage, read> value: array<f32>;
@group(0) @binding(1) var<storage, read> gradient: array<f32>;
@group(0) @binding(2) var<storage, read> first: array<f32>;
@group(0) @binding(3) var<storage, read> second: array<f32>;
@group(0) @binding(4) var<storage, read> factors: array<vec2f>;
@group(0) @binding(5) var<storage, read_write> nextValue: array<f32>;
@group(0) @binding(6) var<storage, read_write> nextFirst: array<f32>;
@group(0) @binding(7) var<storage, read_write> nextSecond: array<f32>;
@group(0) @binding(8) var<uniform> params: Params;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(num_workgroups) workgroups: vec3u, @builtin(local_invocation_index) local: u32) {
  let i = (workgroup.x + workgroup.y * workgroups.x) * 64 + local;
  if (i >= params.size) {
    return;
  }
  let s = factors[params.channels].x;
  if (!is_finite(s)) {
    nextValue[i] = value[i];
    nextFirst[i] = first[i];
    nextSecond[i] = second[i];
    return;
  }
  let next = adam(gradient[i] * s, first[i], second[i]);
  nextValue[i] = factors[(i / params.inner) % params.channels].x * value[i] - params.rate * next.step;
  nextFirst[i] = next.first;
  nextSecond[i] = next.second;
}
