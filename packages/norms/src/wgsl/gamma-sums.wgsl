// dgamma of its parts [blocks, width], a thread a column.
struct Params { blocks: u32, width: u32 }

@group(0) @binding(0) var<storage, read> partials: array<f32>;
@group(0) @binding(1) var<storage, read_write> dgamma: array<f32>;
@group(0) @binding(2) var<uniform> params: Params;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(num_workgroups) workgroups: vec3u, @builtin(local_invocation_index) local: u32) {
  let column = (workgroup.x + workgroup.y * workgroups.x) * 64 + local;
  if (column >= params.width) {
    return;
  }
  var sum = 0f;
  for (var block = 0u; block < params.blocks; block++) {
    sum += partials[block * params.width + column];
  }
  dgamma[column] = sum;
}
