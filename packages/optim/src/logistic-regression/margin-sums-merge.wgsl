// The sums of all blocks, brought to one scale; a thread a column.
struct Params { blocks: u32, width: u32, misclassified_only: u32 }

@group(0) @binding(0) var<storage, read> partials: array<f32>;
@group(0) @binding(1) var<storage, read> parts: array<f32>;
@group(0) @binding(2) var<storage, read_write> direction: array<f32>;
@group(0) @binding(3) var<storage, read_write> statistics: array<f32>;
@group(0) @binding(4) var<uniform> params: Params;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(num_workgroups) workgroups: vec3u, @builtin(local_invocation_index) local: u32) {
  let i = (workgroup.x + workgroup.y * workgroups.x) * 64 + local;
  if (i >= params.width) {
    return;
  }
  var least = parts[0];
  for (var block = 1u; block < params.blocks; block++) {
    least = min(least, parts[4 * block]);
  }
  var sum = 0.0;
  var weights = 0.0;
  var wrong = 0.0;
  var losses = 0.0;
  for (var block = 0u; block < params.blocks; block++) {
    let factor = select(exp(max(0, least) - max(0, parts[4 * block])), 1.0, params.misclassified_only == 1);
    sum += factor * partials[block * params.width + i];
    weights += factor * parts[4 * block + 1];
    wrong += parts[4 * block + 2];
    losses += parts[4 * block + 3];
  }
  direction[i] = sum;
  if (i == 0) {
    statistics[0] = least;
    statistics[1] = weights;
    statistics[2] = wrong;
    statistics[3] = losses;
  }
}
