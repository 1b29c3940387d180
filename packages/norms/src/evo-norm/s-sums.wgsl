// dgamma, dbeta and dv of their parts [blocks, 3, width], a thread a column.
struct Params { blocks: u32, width: u32 }

@group(0) @binding(0) var<storage, read> partials: array<f32>;
@group(0) @binding(1) var<storage, read_write> dgamma: array<f32>;
@group(0) @binding(2) var<storage, read_write> dbeta: array<f32>;
@group(0) @binding(3) var<storage, read_write> dv: array<f32>;
@group(0) @binding(4) var<uniform> params: Params;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(num_workgroups) workgroups: vec3u, @builtin(local_invocation_index) local: u32) {
  let column = (workgroup.x + workgroup.y * workgroups.x) * 64 + local;
  if (column >= params.width) {
    return;
  }
  var sums = vec3f();
  var at = column;
  for (var block = 0u; block < params.blocks; block++) {
    sums += vec3f(partials[at], partials[at + params.width], partials[at + 2 * params.width]);
    at += 3 * params.width;
  }
  dgamma[column] = sums.x;
  dbeta[column] = sums.y;
  dv[column] = sums.z;
}
