// Mean squares of the blocks' squares and counts, a thread a channel; where nothing counts, the fallback.
struct Params { blocks: u32, width: u32 }

// [blocks, 2, width]
@group(0) @binding(0) var<storage, read> partials: array<f32>;
@group(0) @binding(1) var<storage, read> fallback: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
@group(0) @binding(3) var<uniform> params: Params;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(num_workgroups) workgroups: vec3u, @builtin(local_invocation_index) local: u32) {
  let column = (workgroup.x + workgroup.y * workgroups.x) * 64 + local;
  if (column >= params.width) {
    return;
  }
  var squares = 0f;
  var count = 0f;
  var at = column;
  for (var block = 0u; block < params.blocks; block++) {
    squares += partials[at];
    count += partials[at + params.width];
    at += 2 * params.width;
  }
  var mean = fallback[column];
  if (count > 0) {
    mean = squares / count;
  }
  y[column] = mean;
}
