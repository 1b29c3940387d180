// y = gamma (x - mean) / sqrt(variance + epsilon) + beta, each image with statistics of its own. A block is a tile of an image's positions.
struct Params {
  rows: u32, width: u32, rows_per_block: u32, blocks: u32, positions: u32, tiles: u32, tile: u32, epsilon: f32, has_gamma: u32, has_beta: u32,
}

@group(0) @binding(0) var<storage, read> x: array<Item>;
// [images, 4, width]
@group(0) @binding(1) var<storage, read> statistics: array<Item>;
@group(0) @binding(2) var<storage, read> gamma: array<Item>;
@group(0) @binding(3) var<storage, read> beta: array<Item>;
@group(0) @binding(4) var<storage, read_write> y: array<Item>;
@group(0) @binding(5) var<uniform> params: Params;

fn work(block: u32, column: u32, _first: u32, _end: u32) {
  let image = block / params.tiles;
  let first = (block % params.tiles) * params.tile;
  let end = min(first + params.tile, params.positions);
  let at = 4 * image * params.width + column;
  let mean = statistics[at + params.width];
  var scale = inverseSqrt(statistics[at + 2 * params.width] + params.epsilon);
  if (params.has_gamma == 1) {
    scale *= gamma[column];
  }
  var shift = Item();
  if (params.has_beta == 1) {
    shift = beta[column];
  }
  for (var position = first; position < end; position++) {
    let i = (image * params.positions + position) * params.width + column;
    y[i] = (x[i] - mean) * scale + shift;
  }
}
