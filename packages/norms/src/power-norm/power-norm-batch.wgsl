// Adds up the blocks' squares, as every team does for its own columns, and normalizes a block of tokens by their mean.
struct Params {
  rows: u32, width: u32, rows_per_block: u32, blocks: u32, groups: u32, group_width: u32, epsilon: f32, has_gamma: u32, has_beta: u32,
}

@group(0) @binding(0) var<storage, read> x: array<Item>;
@group(0) @binding(1) var<storage, read> runningPhi: array<Item>;
@group(0) @binding(2) var<storage, read> gamma: array<Item>;
@group(0) @binding(3) var<storage, read> beta: array<Item>;
// [rows, groups]
@group(0) @binding(4) var<storage, read> factors: array<f32>;
// [blocks, 2, width]
@group(0) @binding(5) var<storage, read> partials: array<Item>;
@group(0) @binding(6) var<storage, read_write> y: array<Item>;
@group(0) @binding(7) var<storage, read_write> phi: array<Item>;
@group(0) @binding(8) var<uniform> params: Params;

fn work(own_block: u32, column: u32, lane: u32, lanes: u32) {
  // Lanes beyond the last column or block read and write nothing, but take part in sums.
  let live = column < params.width && own_block < params.blocks;
  let blocks = select(0u, params.blocks, live);
  var squares = Item();
  var counts = Item();
  for (var block = lane; block < blocks; block += lanes) {
    squares += partials[2 * block * params.width + column];
    counts += partials[(2 * block + 1) * params.width + column];
  }
  squares = total(squares, lanes);
  let count = across(total(counts, lanes)) / across(Item(1));
  if (!live) {
    return;
  }
  var mean = runningPhi[column];
  if (count > 0) {
    mean = squares / count;
  }
  if (own_block == 0 && lane == 0) {
    phi[column] = mean;
  }
  var scale = inverseSqrt(mean + params.epsilon);
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
    var value = x[at];
    if (params.groups > 0) {
      value *= factors[row * params.groups + column / params.group_width];
    }
    y[at] = value * scale + shift;
  }
}
