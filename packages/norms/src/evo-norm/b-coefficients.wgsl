// In training, a thread a channel: the parameters' gradients, and what dx needs of the batch: its mean, and what x - mean is multiplied by.
struct Params { samples: u32, positions: u32, parts: u32, width: u32, epsilon: f32, variant: u32, has_gamma: u32 }

// [samples, parts, 5, width]
@group(0) @binding(0) var<storage, read> partials: array<f32>;
@group(0) @binding(1) var<storage, read> variance: array<f32>;
@group(0) @binding(2) var<storage, read> dvariance: array<f32>;
@group(0) @binding(3) var<storage, read> gamma: array<f32>;
@group(0) @binding(4) var<storage, read_write> dgamma: array<f32>;
@group(0) @binding(5) var<storage, read_write> dbeta: array<f32>;
@group(0) @binding(6) var<storage, read_write> dv: array<f32>;
// [samples, 3, width] and [2, width]
@group(0) @binding(7) var<storage, read_write> own: array<f32>;
@group(0) @binding(8) var<uniform> params: Params;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(num_workgroups) workgroups: vec3u, @builtin(local_invocation_index) local: u32) {
  let column = (workgroup.x + workgroup.y * workgroups.x) * 64 + local;
  if (column >= params.width) {
    return;
  }
  let of_variance = totals_of(column) + dvariance[column];
  var mean = 0f;
  for (var sample = 0u; sample < params.samples; sample++) {
    mean += own[3 * sample * params.width + column] / f32(params.samples);
  }
  let batch = 3 * params.samples * params.width + column;
  own[batch] = mean;
  own[batch + params.width] = 2 * of_variance / f32(params.samples * params.positions);
}
