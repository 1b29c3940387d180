// dx = dy scale + (x - center) slope + offset, each sample with coefficients of its own. A block is a tile of a sample's positions.
struct Params { rows: u32, width: u32, rows_per_block: u32, blocks: u32, samples: u32, positions: u32, tiles: u32, tile: u32 }

@group(0) @binding(0) var<storage, read> x: array<Item>;
@group(0) @binding(1) var<storage, read> dy: array<Item>;
// [samples, 4, width], and four rows
@group(0) @binding(2) var<storage, read> coefficients: array<Item>;
@group(0) @binding(3) var<storage, read_write> dx: array<Item>;
@group(0) @binding(4) var<uniform> params: Params;

fn work(block: u32, column: u32, _first: u32, _end: u32) {
  let sample = block / params.tiles;
  let first = (block % params.tiles) * params.tile;
  let end = min(first + params.tile, params.positions);
  let at = 4 * sample * params.width + column;
  let center = coefficients[at];
  let scale = coefficients[at + params.width];
  let slope = coefficients[at + 2 * params.width];
  let offset = coefficients[at + 3 * params.width];
  for (var position = first; position < end; position++) {
    let i = (sample * params.positions + position) * params.width + column;
    dx[i] = dy[i] * scale + ((x[i] - center) * slope + offset);
  }
}
