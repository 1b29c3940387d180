// The components' steps, by the images whose statistics are finite, a thread for each of a component's channels.
struct Params { images: u32, width: u32, positions: f32, components: u32, share: f32 }

// [images, 2, width]: means, and sums of squared differences
@group(0) @binding(0) var<storage, read> partials: array<f32>;
@group(0) @binding(1) var<storage, read> means: array<f32>;
@group(0) @binding(2) var<storage, read> variances: array<f32>;
@group(0) @binding(3) var<storage, read> assignment: array<f32>;
@group(0) @binding(4) var<storage, read> counts: array<i32>;
@group(0) @binding(5) var<storage, read_write> meansStep: array<f32>;
@group(0) @binding(6) var<storage, read_write> variancesStep: array<f32>;
@group(0) @binding(7) var<storage, read_write> skipped: array<f32>;
@group(0) @binding(8) var<uniform> params: Params;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(num_workgroups) workgroups: vec3u, @builtin(local_invocation_index) local: u32) {
  let thread = (workgroup.x + workgroup.y * workgroups.x) * 64 + local;
  if (thread >= params.components * params.width) {
    return;
  }
  let component = thread / params.width;
  let column = thread % params.width;
  let mean = means[thread];
  let variance = variances[thread];
  var of_mean = 0f;
  var of_variance = 0f;
  var counted = 0u;
  for (var image = 0u; image < params.images; image++) {
    if (counts[image] == 1) {
      let p = assignment[image * params.components + component];
      let own = 2 * image * params.width + column;
      of_mean += p * (partials[own] - mean);
      of_variance += p * (partials[own + params.width] / params.positions - variance);
      counted += 1;
    }
  }
  let share = params.share / f32(max(counted, 1));
  meansStep[thread] = share * of_mean;
  variancesStep[thread] = share * of_variance;
  if (thread == 0) {
    skipped[0] = f32(params.images - counted);
  }
}
