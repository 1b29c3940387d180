// Sums of xs^2 over the tokens of a block that count, and how many those are.
struct Params { rows: u32, width: u32, rows_per_block: u32, groups: u32, group_width: u32, has_mask: u32 }

@group(0) @binding(0) var<storage, read> x: array<Item>;
@group(0) @binding(1) var<storage, read> mask: array<i32>;
// [rows, groups]
@group(0) @binding(2) var<storage, read> factors: array<f32>;
// [blocks, 2, width]
@group(0) @binding(3) var<storage, read_write> partials: array<Item>;
@group(0) @binding(4) var<uniform> params: Params;

fn work(block: u32, column: u32, lane: u32, lanes: u32) {
  let first = block * params.rows_per_block;
  // Lanes beyond the last column or row read and write nothing, but take part in sums.
  let end = select(0u, min(first + params.rows_per_block, params.rows), column < params.width && first < params.rows);
  var squares = Item();
  var count = 0f;
  for (var row = first + lane; row < end; row += lanes) {
    if (params.has_mask == 0 || mask[row] != 0) {
      var value = x[row * params.width + column];
      if (params.groups > 0) {
        value *= factors[row * params.groups + column / params.group_width];
      }
      squares += value * value;
      count += 1;
    }
  }
  squares = total(squares, lanes);
  let counts = total(Item(count), lanes);
  if (lane == 0 && first < end) {
    partials[2 * block * params.width + column] = squares;
    partials[(2 * block + 1) * params.width + column] = counts;
  }
}
