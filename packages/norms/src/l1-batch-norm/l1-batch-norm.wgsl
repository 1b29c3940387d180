// Merges the blocks' deviations, as every team does for its own columns, and normalizes a block of rows.
struct Params {
  rows: u32, width: u32, rows_per_block: u32, blocks: u32, factor: f32, epsilon: f32, has_gamma: u32, has_beta: u32,
}

@group(0) @binding(0) var<storage, read> x: array<Item>;
@group(0) @binding(1) var<storage, read> gamma: array<Item>;
@group(0) @binding(2) var<storage, read> beta: array<Item>;
// [blocks, width]
@group(0) @binding(3) var<storage, read> deviations: array<Item>;
@group(0) @binding(4) var<storage, read> mean: array<Item>;
@group(0) @binding(5) var<storage, read_write> y: array<Item>;
@group(0) @binding(6) var<storage, read_write> deviation: array<Item>;
@group(0) @binding(7) var<uniform> params: Params;

fn work(own_block: u32, column: u32, lane: u32, lanes: u32) {
  // Lanes beyond the last column or block read and write nothing, but take part in sums.
  let live = column < params.width && own_block < params.blocks;
  var sum = Item();
  for (var block = lane; block < select(0u, params.blocks, live); block += lanes) {
    sum += deviations[block * params.width + column];
  }
  let absolute = total(sum, lanes) / f32(params.rows);
  if (!live) {
    return;
  }
  if (own_block == 0 && lane == 0) {
    deviation[column] = absolute;
  }
  var scale = 1 / (params.factor * absolute + params.epsilon);
  if (params.has_gamma == 1) {
    scale *= gamma[column];
  }
  var shift = Item();
  if (params.has_beta == 1) {
    shift = beta[column];
  }
  let mu = mean[column];
  let first = own_block * params.rows_per_block;
  let end = min(first + params.rows_per_block, params.rows);
  for (var row = first + lane; row < end; row += lanes) {
    let at = row * params.width + column;
    y[at] = (x[at] - mu) * scale + shift;
  }
}
