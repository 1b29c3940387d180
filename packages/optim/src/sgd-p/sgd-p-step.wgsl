// SGDP after its decision, an element a thread.
struct Params {
  size: u32, has_scale: u32, channels: u32, inner: u32,
  momentum: f32, gain: f32, ahead: f32, now: f32,
  rate: f32, project_velocity: u32,
}

@group(0) @binding(0) var<storage, read> value: array<f32>;
@group(0) @binding(1) var<storage, read> gradient: array<f32>;
@group(0) @binding(2) var<storage, read> velocity: array<f32>;
// [channels + 1]: the scale is in the last place
@group(0) @binding(3) var<storage, read> factors: array<vec2f>;
@group(0) @binding(4) var<storage, read_write> nextValue: array<f32>;
@group(0) @binding(5) var<storage, read_write> nextVelocity: array<f32>;
@group(0) @binding(6) var<uniform> params: Params;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(num_workgroups) workgroups: vec3u, @builtin(local_invocation_index) local: u32) {
  let i = (workgroup.x + workgroup.y * workgroups.x) * 64 + local;
  if (i >= params.size) {
    return;
  }
  let s = factors[params.channels].x;
  if (!is_finite(s)) {
    nextValue[i] = value[i];
    nextVelocity[i] = velocity[i];
    return;
  }
  let w = value[i];
  let next = sgd(gradient[i] * s, velocity[i]);
  let factor = factors[(i / params.inner) % params.channels];
  nextValue[i] = factor.x * w - params.rate * next.step;
  nextVelocity[i] = next.velocity - select(0f, factor.y * w, params.project_velocity != 0);
}
