// Of the parts what dx = a g + b (x - mean) + c needs, and dgamma and dbeta, a thread a channel of a region.
struct Params {
  width: u32, positions: f32, blocks_of_set: u32, sets: u32, regions: u32, epsilon: f32, official: u32, has_gamma: u32,
}

// [sets, blocks of a set, regions, 2, width]
@group(0) @binding(0) var<storage, read> partials: array<f32>;
// [sets, regions, 3, width]
@group(0) @binding(1) var<storage, read> statistics: array<f32>;
@group(0) @binding(2) var<storage, read> dstatistics: array<f32>;
// [regions, width]
@group(0) @binding(3) var<storage, read> gamma: array<f32>;
@group(0) @binding(4) var<storage, read_write> dgamma: array<f32>;
@group(0) @binding(5) var<storage, read_write> dbeta: array<f32>;
// [sets, regions, 3, width]
@group(0) @binding(6) var<storage, read_write> coefficients: array<f32>;
@group(0) @binding(7) var<uniform> params: Params;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(num_workgroups) workgroups: vec3u, @builtin(local_invocation_index) local: u32) {
  let own = (workgroup.x + workgroup.y * workgroups.x) * 64 + local;
  if (own >= params.regions * params.width) {
    return;
  }
  let region = own / params.width;
  let column = own % params.width;
  var of_gamma = 0f;
  var of_beta = 0f;
  for (var of_set = 0u; of_set < params.sets; of_set++) {
    var sum = 0f;
    var product = 0f;
    for (var block = 0u; block < params.blocks_of_set; block++) {
      let part = ((of_set * params.blocks_of_set + block) * params.regions + region) * 2 * params.width + column;
      sum += partials[part];
      product += partials[part + params.width];
    }
    let at = (of_set * params.regions + region) * 3 * params.width + column;
    let count = max(statistics[at], 1);
    let share = select(1f, params.positions / count, params.official == 1);
    let r = inverseSqrt(statistics[at + 2 * params.width] + params.epsilon * share);
    product *= r;
    var a = r;
    if (params.has_gamma == 1) {
      a *= gamma[own];
    }
    of_gamma += product;
    of_beta += sum;
    coefficients[at] = a;
    coefficients[at + params.width] = (2 * dstatistics[at + 2 * params.width] - a * r * product) / count;
    coefficients[at + 2 * params.width] = (dstatistics[at + params.width] - a * sum) / count;
  }
  dgamma[own] = of_gamma;
  dbeta[own] = of_beta;
}
