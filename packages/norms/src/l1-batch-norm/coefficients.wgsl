// dgamma and dbeta of their parts, and of them what dx = a dy + b sign(x - mean) + c needs, a thread a channel.
struct Params { blocks: u32, width: u32, rows: f32, factor: f32, epsilon: f32, floor: f32, has_gamma: u32 }

// [blocks, 3, width]
@group(0) @binding(0) var<storage, read> partials: array<f32>;
@group(0) @binding(1) var<storage, read> deviation: array<f32>;
@group(0) @binding(2) var<storage, read> dmean: array<f32>;
@group(0) @binding(3) var<storage, read> ddeviation: array<f32>;
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
  var signs = 0f;
  var at = column;
  for (var block = 0u; block < params.blocks; block++) {
    gamma_sum += partials[at];
    beta_sum += partials[at + params.width];
    signs += partials[at + 2 * params.width];
    at += 3 * params.width;
  }
  dgamma[column] = gamma_sum;
  dbeta[column] = beta_sum;
  var a = 1 / (params.factor * deviation[column] + params.epsilon);
  if (params.has_gamma == 1) {
    a *= gamma[column];
  }
  a = select(a, 0, deviation[column] < params.floor);
  let b = (ddeviation[column] - a * params.factor * gamma_sum) / params.rows;
  coefficients[column] = a;
  coefficients[params.width + column] = b;
  coefficients[2 * params.width + column] = (dmean[column] - a * beta_sum - b * signs) / params.rows;
}
