// dgamma and dbeta of the images' sums, a thread a channel.
struct Params { images: u32, width: u32, epsilon: f32 }

// [images, 4, width]
@group(0) @binding(0) var<storage, read> statistics: array<f32>;
// [images, 2, width]: sums of dy and of dy (x - mean)
@group(0) @binding(1) var<storage, read> partials: array<f32>;
@group(0) @binding(2) var<storage, read_write> dgamma: array<f32>;
@group(0) @binding(3) var<storage, read_write> dbeta: array<f32>;
@group(0) @binding(4) var<uniform> params: Params;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(num_workgroups) workgroups: vec3u, @builtin(local_invocation_index) local: u32) {
  let column = (workgroup.x + workgroup.y * workgroups.x) * 64 + local;
  if (column >= params.width) {
    return;
  }
  var of_gamma = 0f;
  var of_beta = 0f;
  for (var image = 0u; image < params.images; image++) {
    let variance = statistics[(4 * image + 2) * params.width + column];
    let own = 2 * image * params.width + column;
    of_gamma += partials[own + params.width] * inverseSqrt(variance + params.epsilon);
    of_beta += partials[own];
  }
  dgamma[column] = of_gamma;
  dbeta[column] = of_beta;
}
