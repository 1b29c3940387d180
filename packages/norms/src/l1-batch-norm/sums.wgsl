// Sum of each block of rows.
struct Params { rows: u32, width: u32, rows_per_block: u32 }

@group(0) @binding(0) var<storage, read> x: array<Item>;
// [blocks, width]
@group(0) @binding(1) var<storage, read_write> partials: array<Item>;
@group(0) @binding(2) var<uniform> params: Params;

fn work(block: u32, column: u32, lane: u32, lanes: u32) {
  let first = block * params.rows_per_block;
  // Lanes beyond the last column or row read and write nothing, but take part in sums.
  let end = select(0u, min(first + params.rows_per_block, params.rows), column < params.width && first < params.rows);
  var sum = Item();
  for (var row = first + lane; row < end; row += lanes) {
    sum += x[row * params.width + column];
  }
  sum = total(sum, lanes);
  if (lane == 0 && first < end) {
    partials[block * params.width + column] = sum;
  }
}
