// Mean, and root si or qi, of each sample's channels, merged of their parts: a thread a sample and channel.
struct Params { samples: u32, positions: u32, parts: u32, rows_per_part: u32, width: u32, epsilon: f32, variant: u32 }

// [samples, parts, 2, width]
@group(0) @binding(0) var<storage, read> moments: array<f32>;
// [samples, 3, width]: mean, root, and what b-coefficients.wgsl adds
@group(0) @binding(1) var<storage, read_write> own: array<f32>;
@group(0) @binding(2) var<uniform> params: Params;

fn rows_of(part: u32) -> f32 {
  return f32(min(params.rows_per_part, params.positions - part * params.rows_per_part));
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(num_workgroups) workgroups: vec3u, @builtin(local_invocation_index) local: u32) {
  let thread = (workgroup.x + workgroup.y * workgroups.x) * 64 + local;
  let sample = thread / params.width;
  let column = thread % params.width;
  if (sample >= params.samples) {
    return;
  }
  let first = 2 * sample * params.parts * params.width + column;
  var sum = 0f;
  for (var part = 0u; part < params.parts; part++) {
    sum += rows_of(part) * moments[first + 2 * part * params.width];
  }
  let mean = sum / f32(params.positions);
  var squares = 0f;
  for (var part = 0u; part < params.parts; part++) {
    let at = first + 2 * part * params.width;
    let difference = moments[at] - mean;
    squares += moments[at + params.width] + rows_of(part) * difference * difference;
  }
  var square = squares / f32(params.positions);
  if (params.variant > 0) {
    square += mean * mean;
  }
  own[3 * sample * params.width + column] = mean;
  own[(3 * sample + 1) * params.width + column] = sqrt(square + params.epsilon);
}
