// Sums of dy xhat and dy over a block of rows.
struct Params { rows: u32, width: u32, rows_per_block: u32, blocks: u32, epsilon: f32 }

@group(0) @binding(0) var<storage, read> x: array<Item>;
@group(0) @binding(1) var<storage, read> dy: array<Item>;
@group(0) @binding(2) var<storage, read> mean: array<Item>;
@group(0) @binding(3) var<storage, read> variance: array<Item>;
// [blocks, 2, width]
@group(0) @binding(4) var<storage, read_write> partials: array<Item>;
@group(0) @binding(5) var<uniform> params: Params;

fn work(block: u32, column: u32, first: u32, end: u32) {
  let mu = mean[column];
  let r = inverseSqrt(variance[column] + params.epsilon);
  var dgamma = Item();
  var dbeta = Item();
  for (var row = first; row < end; row++) {
    let at = row * params.width + column;
    let d = dy[at];
    dgamma += d * ((x[at] - mu) * r);
    dbeta += d;
  }
  partials[2 * block * params.width + column] = dgamma;
  partials[(2 * block + 1) * params.width + column] = dbeta;
}
