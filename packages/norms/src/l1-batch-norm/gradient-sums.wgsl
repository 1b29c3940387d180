// Sums of dy xhat, dy and sign(x - mean) over a block of rows.
struct Params { rows: u32, width: u32, rows_per_block: u32, blocks: u32, factor: f32, epsilon: f32 }

@group(0) @binding(0) var<storage, read> x: array<Item>;
@group(0) @binding(1) var<storage, read> dy: array<Item>;
@group(0) @binding(2) var<storage, read> mean: array<Item>;
@group(0) @binding(3) var<storage, read> deviation: array<Item>;
// [blocks, 3, width]
@group(0) @binding(4) var<storage, read_write> partials: array<Item>;
@group(0) @binding(5) var<uniform> params: Params;

fn work(block: u32, column: u32, first: u32, end: u32) {
  let mu = mean[column];
  let r = 1 / (params.factor * deviation[column] + params.epsilon);
  var dgamma = Item();
  var dbeta = Item();
  var signs = Item();
  for (var row = first; row < end; row++) {
    let at = row * params.width + column;
    let d = dy[at];
    let centred = x[at] - mu;
    dgamma += d * (centred * r);
    dbeta += d;
    signs += sign(centred);
  }
  let part = 3 * block * params.width + column;
  partials[part] = dgamma;
  partials[part + params.width] = dbeta;
  partials[part + 2 * params.width] = signs;
}
