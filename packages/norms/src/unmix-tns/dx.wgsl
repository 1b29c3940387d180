// dx = gamma r dy + (dmean / K + dvariance slope) / n + 2 dvariance (x - own mean) / (K n). A block is a tile of an image's positions.
struct Params {
  rows: u32, width: u32, rows_per_block: u32, blocks: u32, positions: u32, tiles: u32, tile: u32, components: f32, epsilon: f32, has_gamma: u32,
}

@group(0) @binding(0) var<storage, read> x: array<Item>;
@group(0) @binding(1) var<storage, read> dy: array<Item>;
// [images, 4, width]
@group(0) @binding(2) var<storage, read> statistics: array<Item>;
@group(0) @binding(3) var<storage, read> gamma: array<Item>;
// [images, 2, width]: sums of dy and of dy (x - mean)
@group(0) @binding(4) var<storage, read> partials: array<Item>;
@group(0) @binding(5) var<storage, read_write> dx: array<Item>;
@group(0) @binding(6) var<uniform> params: Params;

fn work(block: u32, column: u32, _first: u32, _end: u32) {
  let image = block / params.tiles;
  let first = (block % params.tiles) * params.tile;
  let end = min(first + params.tile, params.positions);
  let at = 4 * image * params.width + column;
  let own = statistics[at];
  let r = inverseSqrt(statistics[at + 2 * params.width] + params.epsilon);
  let slope = statistics[at + 3 * params.width];
  let of_dy = partials[2 * image * params.width + column];
  let of_product = partials[(2 * image + 1) * params.width + column];
  var scale = r;
  if (params.has_gamma == 1) {
    scale *= gamma[column];
  }
  let n = f32(params.positions);
  let dvariance = -0.5 * scale * r * r * of_product;
  let offset = (dvariance * slope - scale * of_dy / params.components) / n;
  let of_centred = 2 * dvariance / (params.components * n);
  for (var position = first; position < end; position++) {
    let i = (image * params.positions + position) * params.width + column;
    dx[i] = dy[i] * scale + ((x[i] - own) * of_centred + offset);
  }
}
