// A thread a channel: the batch part alone. From the moments of the parts of the batch, which counts as one sample, y = (x - center) scale +
// shift with the new estimates, and these.
struct Params {
  samples: u32, positions: u32, parts: u32, rows_per_part: u32, width: u32, epsilon: f32, rate: f32, has_gamma: u32, has_beta: u32,
}

// [parts, 2, width]
@group(0) @binding(0) var<storage, read> moments: array<f32>;
@group(0) @binding(1) var<storage, read> mean: array<f32>;
@group(0) @binding(2) var<storage, read> variance: array<f32>;
@group(0) @binding(3) var<storage, read> gamma: array<f32>;
@group(0) @binding(4) var<storage, read> beta: array<f32>;
// [3 + 4, width]
@group(0) @binding(5) var<storage, read_write> coefficients: array<f32>;
@group(0) @binding(6) var<uniform> params: Params;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(num_workgroups) workgroups: vec3u, @builtin(local_invocation_index) local: u32) {
  let c = (workgroup.x + workgroup.y * workgroups.x) * 64 + local;
  if (c >= params.width) {
    return;
  }
  merge(c);
  settle(c);
  coefficients[c] = mean_of(c);
  coefficients[params.width + c] = inverseSqrt(variance_of(c) + params.epsilon);
  if (params.has_gamma == 1) {
    coefficients[params.width + c] *= gamma[c];
  }
  coefficients[2 * params.width + c] = 0;
  if (params.has_beta == 1) {
    coefficients[2 * params.width + c] = beta[c];
  }
}
