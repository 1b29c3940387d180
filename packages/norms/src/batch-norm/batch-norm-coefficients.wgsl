// dgamma and dbeta of their parts, and of them what dx = a dy + b (x - mean) + c needs, a thread a channel.
struct Params { blocks: u32, width: u32, rows: f32, epsilon: f32, has_gamma: u32 }

// [blocks, 2, width]
@group(0) @binding(0) var<storage, read> partials: array<f32>;
@group(0) @binding(1) var<storage, read> variance: array<f32>;
@group(0) @binding(2) var<storage, read> dmean: array<f32>;
@group(0) @binding(3) var<storage, read> dvariance: array<f32>;
@group(0) @binding(4) var<storage, read> gamma: array<f32>;
@group(0) @binding(5) var<storage, read_write> dgamma: array<f32>;
@group(0) @binding(6) var<storage, read_write> dbeta: array<f32>;
// [3, width]
@group(0) @binding(7) var<storage, read_write> coefficients: array<f32>;
@group(0) @binding(8) var<uniform> params: Params;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(num_workgroups) workgroups: vec3u, @builtin(local_invocation_index) local: u32) {
  let column = (workgroup.x + workgroup.y * workgroups.x) * 64 + local;
  if (column >= params.width) {
    return;
  }
  var gamma_sum = 0f;
  var beta_sum = 0f;
  var at = column;
  for (var block = 0u; block < params.blocks; block++) {
    gamma_sum += partials[at];
    beta_sum += partials[at + params.width];
    at += 2 * params.width;
  }
  dgamma[column] = gamma_sum;
  dbeta[column] = beta_sum;
  let r = inverseSqrt(variance[column] + params.epsilon);
  var a = r;
  if (params.has_gamma == 1) {
    a *= gamma[column];
  }
  coefficients[column] = a;
  coefficients[params.width + column] = (2 * dvariance[column] - a * r * gamma_sum) / params.rows;
  coefficients[2 * params.width + column] = (dmean[column] - a * beta_sum) / params.rows;
}
