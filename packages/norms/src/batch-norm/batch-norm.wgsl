// Merges the blocks' moments, as every team does for its own columns, and normalizes a block of rows with them.
// n variance = sum over blocks of their squared differences + n_b (mean_b - mean)^2: Chan, Golub, LeVeque 1979, equation 2.1 for many parts.
struct Params { rows: u32, width: u32, rows_per_block: u32, blocks: u32, epsilon: f32, has_gamma: u32, has_beta: u32 }

@group(0) @binding(0) var<storage, read> x: array<Item>;
@group(0) @binding(1) var<storage, read> gamma: array<Item>;
@group(0) @binding(2) var<storage, read> beta: array<Item>;
// [blocks, 2, width]
@group(0) @binding(3) var<storage, read> partials: array<Item>;
@group(0) @binding(4) var<storage, read_write> y: array<Item>;
@group(0) @binding(5) var<storage, read_write> mean: array<Item>;
@group(0) @binding(6) var<storage, read_write> variance: array<Item>;
@group(0) @binding(7) var<uniform> params: Params;

fn rows_of(block: u32) -> f32 {
  return f32(min(params.rows_per_block, params.rows - block * params.rows_per_block));
}

fn work(own_block: u32, column: u32, lane: u32, lanes: u32) {
  // Lanes beyond the last column or block read and write nothing, but take part in sums.
  let live = column < params.width && own_block < params.blocks;
  let blocks = select(0u, params.blocks, live);

  var sum = Item();
  for (var block = lane; block < blocks; block += lanes) {
    sum += rows_of(block) * partials[2 * block * params.width + column];
  }
  let mu = total(sum, lanes) / f32(params.rows);
  var squares = Item();
  for (var block = lane; block < blocks; block += lanes) {
    let difference = partials[2 * block * params.width + column] - mu;
    squares += partials[(2 * block + 1) * params.width + column] + rows_of(block) * difference * difference;
  }
  let biased = total(squares, lanes) / f32(params.rows);
  if (!live) {
    return;
  }
  if (own_block == 0 && lane == 0) {
    mean[column] = mu;
    variance[column] = biased;
  }
  var scale = inverseSqrt(biased + params.epsilon);
  if (params.has_gamma == 1) {
    scale *= gamma[column];
  }
  var shift = Item();
  if (params.has_beta == 1) {
    shift = beta[column];
  }
  let first = own_block * params.rows_per_block;
  let end = min(first + params.rows_per_block, params.rows);
  for (var row = first + lane; row < end; row += lanes) {
    let at = row * params.width + column;
    y[at] = (x[at] - mu) * scale + shift;
  }
}
