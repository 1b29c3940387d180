// Merges the blocks' sums, as every team does for its own columns, and sums the deviations of a block of rows from the mean.
struct Params { rows: u32, width: u32, rows_per_block: u32, blocks: u32 }

@group(0) @binding(0) var<storage, read> x: array<Item>;
// [blocks, width]
@group(0) @binding(1) var<storage, read> partials: array<Item>;
@group(0) @binding(2) var<storage, read_write> deviations: array<Item>;
@group(0) @binding(3) var<storage, read_write> mean: array<Item>;
@group(0) @binding(4) var<uniform> params: Params;

fn work(own_block: u32, column: u32, lane: u32, lanes: u32) {
  // Lanes beyond the last column or block read and write nothing, but take part in sums.
  let live = column < params.width && own_block < params.blocks;
  var sum = Item();
  for (var block = lane; block < select(0u, params.blocks, live); block += lanes) {
    sum += partials[block * params.width + column];
  }
  let mu = total(sum, lanes) / f32(params.rows);
  let first = own_block * params.rows_per_block;
  let end = select(0u, min(first + params.rows_per_block, params.rows), live);
  var deviation = Item();
  for (var row = first + lane; row < end; row += lanes) {
    deviation += abs(x[row * params.width + column] - mu);
  }
  deviation = total(deviation, lanes);
  if (live && lane == 0) {
    deviations[own_block * params.width + column] = deviation;
    if (own_block == 0) {
      mean[column] = mu;
    }
  }
}
