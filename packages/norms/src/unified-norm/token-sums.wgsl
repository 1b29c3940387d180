// The sums of the blocks' sums, a thread a channel.
struct Params { blocks: u32, width: u32 }

// [blocks, 2, width]
@group(0) @binding(0) var<storage, read> partials: array<f32>;
@group(0) @binding(1) var<storage, read_write> products: array<f32>;
@group(0) @binding(2) var<storage, read_write> sums: array<f32>;
@group(0) @binding(3) var<uniform> params: Params;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(num_workgroups) workgroups: vec3u, @builtin(local_invocation_index) local: u32) {
  let column = (workgroup.x + workgroup.y * workgroups.x) * 64 + local;
  if (column >= params.width) {
    return;
  }
  var of_product = 0f;
  var of_dy = 0f;
  var at = column;
  for (var block = 0u; block < params.blocks; block++) {
    of_product += partials[at];
    of_dy += partials[at + params.width];
    at += 2 * params.width;
  }
  products[column] = of_product;
  sums[column] = of_dy;
}
