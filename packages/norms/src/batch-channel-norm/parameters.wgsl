// A thread a channel: hands over the gradients of the parameters, those of the channel part summed by group where they are of groups.
struct Params { samples: u32, width: u32, span: u32 }

// [samples, 4, width], and four rows
@group(0) @binding(0) var<storage, read> coefficients: array<f32>;
@group(0) @binding(1) var<storage, read_write> dgamma: array<f32>;
@group(0) @binding(2) var<storage, read_write> dbeta: array<f32>;
@group(0) @binding(3) var<storage, read_write> dchannelGamma: array<f32>;
@group(0) @binding(4) var<storage, read_write> dchannelBeta: array<f32>;
@group(0) @binding(5) var<uniform> params: Params;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(num_workgroups) workgroups: vec3u, @builtin(local_invocation_index) local: u32) {
  let c = (workgroup.x + workgroup.y * workgroups.x) * 64 + local;
  if (c >= params.width) {
    return;
  }
  let row = 4 * params.samples * params.width;
  dgamma[c] = coefficients[row + c];
  dbeta[c] = coefficients[row + params.width + c];
  if (c % params.span != 0) {
    return;
  }
  var of_gamma = 0f;
  var of_beta = 0f;
  for (var i = c; i < c + params.span; i++) {
    of_gamma += coefficients[row + 2 * params.width + i];
    of_beta += coefficients[row + 3 * params.width + i];
  }
  dchannelGamma[c / params.span] = of_gamma;
  dchannelBeta[c / params.span] = of_beta;
}
