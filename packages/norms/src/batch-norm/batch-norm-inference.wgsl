// y = gamma (x - mean) / sqrt(variance + epsilon) + beta, with given statistics.
struct Params { rows: u32, width: u32, rows_per_block: u32, blocks: u32, epsilon: f32, has_gamma: u32, has_beta: u32 }

@group(0) @binding(0) var<storage, read> x: array<Item>;
@group(0) @binding(1) var<storage, read> mean: array<Item>;
@group(0) @binding(2) var<storage, read> variance: array<Item>;
@group(0) @binding(3) var<storage, read> gamma: array<Item>;
@group(0) @binding(4) var<storage, read> beta: array<Item>;
@group(0) @binding(5) var<storage, read_write> y: array<Item>;
@group(0) @binding(6) var<uniform> params: Params;

fn work(block: u32, column: u32, first: u32, end: u32) {
  let mu = mean[column];
  var scale = inverseSqrt(variance[column] + params.epsilon);
  if (params.has_gamma == 1) {
    scale *= gamma[column];
  }
  var shift = Item();
  if (params.has_beta == 1) {
    shift = beta[column];
  }
  for (var row = first; row < end; row++) {
    let at = row * params.width + column;
    y[at] = (x[at] - mu) * scale + shift;
  }
}
