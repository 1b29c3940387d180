// dgamma, dbeta and the step of emaGz of the blocks' sums, a thread a channel.
struct Params { blocks: u32, width: u32, epsilon: f32 }

// [blocks, 4, width]
@group(0) @binding(0) var<storage, read> partials: array<f32>;
@group(0) @binding(1) var<storage, read> forwardPhi: array<f32>;
@group(0) @binding(2) var<storage, read> backwardPhi: array<f32>;
@group(0) @binding(3) var<storage, read_write> dgamma: array<f32>;
@group(0) @binding(4) var<storage, read_write> dbeta: array<f32>;
@group(0) @binding(5) var<storage, read_write> emaGzStep: array<f32>;
@group(0) @binding(6) var<uniform> params: Params;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(num_workgroups) workgroups: vec3u, @builtin(local_invocation_index) local: u32) {
  let column = (workgroup.x + workgroup.y * workgroups.x) * 64 + local;
  if (column >= params.width) {
    return;
  }
  var sums = vec4f();
  var at = column;
  for (var block = 0u; block < params.blocks; block++) {
    sums += vec4f(partials[at], partials[at + params.width], partials[at + 2 * params.width], partials[at + 3 * params.width]);
    at += 4 * params.width;
  }
  let to_z = inverseSqrt(forwardPhi[column] + params.epsilon);
  dgamma[column] = sums.x * to_z;
  dbeta[column] = sums.y;
  // Of a and z, where the sum is of dxs = a / sqrt(backwardPhi + epsilon) and xs.
  emaGzStep[column] = select(0f, sums.z * to_z * sqrt(backwardPhi[column] + params.epsilon) / sums.w, sums.w > 0);
}
