// dgamma and dbeta [groups, width] of their parts [groups, blocks, 2, width], a thread a group and column.
struct Params { groups: u32, blocks: u32, width: u32 }

@group(0) @binding(0) var<storage, read> partials: array<f32>;
@group(0) @binding(1) var<storage, read_write> dgamma: array<f32>;
@group(0) @binding(2) var<storage, read_write> dbeta: array<f32>;
@group(0) @binding(3) var<uniform> params: Params;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(num_workgroups) workgroups: vec3u, @builtin(local_invocation_index) local: u32) {
  let thread = (workgroup.x + workgroup.y * workgroups.x) * 64 + local;
  let group = thread / params.width;
  if (group >= params.groups) {
    return;
  }
  var gamma_sum = 0f;
  var beta_sum = 0f;
  var at = 2 * group * params.blocks * params.width + thread % params.width;
  for (var block = 0u; block < params.blocks; block++) {
    gamma_sum += partials[at];
    beta_sum += partials[at + params.width];
    at += 2 * params.width;
  }
  dgamma[thread] = gamma_sum;
  dbeta[thread] = beta_sum;
}
