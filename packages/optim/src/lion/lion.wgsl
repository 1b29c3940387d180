// Lion, an element a thread.
struct Params { size: u32, has_scale: u32, beta1: f32, gain1: f32, beta2: f32, gain2: f32, rate: f32, keep: f32 }

@group(0) @binding(0) var<storage, read> value: array<f32>;
@group(0) @binding(1) var<storage, read> gradient: array<f32>;
@group(0) @binding(2) var<storage, read> momentum: array<f32>;
@group(0) @binding(3) var<storage, read> scale: array<f32>;
@group(0) @binding(4) var<storage, read_write> nextValue: array<f32>;
@group(0) @binding(5) var<storage, read_write> nextMomentum: array<f32>;
@group(0) @binding(6) var<uniform> params: Params;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(num_workgroups) workgroups: vec3u, @builtin(local_invocation_index) local: u32) {
  let i = (workgroup.x + workgroup.y * workgroups.x) * 64 + local;
  if (i >= params.size) {
    return;
  }
  let s = scale_of();
  if (!is_finite(s)) {
    nextValue[i] = value[i];
    nextMomentum[i] = momentum[i];
    return;
  }
  let g = gradient[i] * s;
  let m = momentum[i];
  nextValue[i] = params.keep * value[i] - params.rate * sign(params.beta1 * m + params.gain1 * g);
  nextMomentum[i] = params.beta2 * m + params.gain2 * g;
}
