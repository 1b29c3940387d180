// y = (x - center) scale + shift, each sample with coefficients of its own. A block is a tile of a sample's positions.
struct Params { rows: u32, width: u32, rows_per_block: u32, blocks: u32, samples: u32, positions: u32, tiles: u32, tile: u32 }

@group(0) @binding(0) var<storage, read> x: array<Item>;
// [samples, 3, width], and in training four rows of statistics
@group(0) @binding(1) var<storage, read> coefficients: array<Item>;
@group(0) @binding(2) var<storage, read_write> y: array<Item>;
@group(0) @binding(3) var<uniform> params: Params;

fn work(block: u32, column: u32, _first: u32, _end: u32) {
  let sample = block / params.tiles;
  let first = (block % params.tiles) * params.tile;
  let end = min(first + params.tile, params.positions);
  let at = 3 * sample * params.width + column;
  let center = coefficients[at];
  let scale = coefficients[at + params.width];
  let shift = coefficients[at + 2 * params.width];
  for (var position = first; position < end; position++) {
    let i = (sample * params.positions + position) * params.width + column;
    y[i] = (x[i] - center) * scale + shift;
  }
  if (block == 0) {
    hand_over(column);
  }
}
