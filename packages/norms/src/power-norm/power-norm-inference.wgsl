// y = gamma xs / sqrt(runningPhi + epsilon) + beta
struct Params {
  rows: u32, width: u32, rows_per_block: u32, blocks: u32, groups: u32, group_width: u32, epsilon: f32, has_gamma: u32, has_beta: u32,
}

@group(0) @binding(0) var<storage, read> x: array<Item>;
@group(0) @binding(1) var<storage, read> runningPhi: array<Item>;
@group(0) @binding(2) var<storage, read> gamma: array<Item>;
@group(0) @binding(3) var<storage, read> beta: array<Item>;
// [rows, groups]
@group(0) @binding(4) var<storage, read> factors: array<f32>;
@group(0) @binding(5) var<storage, read_write> y: array<Item>;
@group(0) @binding(6) var<uniform> params: Params;

fn work(block: u32, column: u32, first: u32, end: u32) {
  var scale = inverseSqrt(runningPhi[column] + params.epsilon);
  if (params.has_gamma == 1) {
    scale *= gamma[column];
  }
  var shift = Item();
  if (params.has_beta == 1) {
    shift = beta[column];
  }
  for (var row = first; row < end; row++) {
    let at = row * params.width + column;
    var value = x[at];
    if (params.groups > 0) {
      value *= factors[row * params.groups + column / params.group_width];
    }
    y[at] = value * scale + shift;
  }
}
