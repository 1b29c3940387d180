// Sums of dy and of dy (x - mean) over an image's positions.
struct Params { rows: u32, width: u32, positions: u32 }

@group(0) @binding(0) var<storage, read> x: array<Item>;
@group(0) @binding(1) var<storage, read> dy: array<Item>;
// [images, 4, width]
@group(0) @binding(2) var<storage, read> statistics: array<Item>;
// [images, 2, width]
@group(0) @binding(3) var<storage, read_write> partials: array<Item>;
@group(0) @binding(4) var<uniform> params: Params;

fn work(image: u32, column: u32, lane: u32, lanes: u32) {
  // Lanes beyond the last column or image read and write nothing, but take part in sums.
  let first = image * params.positions;
  let live = column < params.width && first < params.rows;
  let end = select(0u, first + params.positions, live);
  var mean = Item();
  if (live) {
    mean = statistics[(4 * image + 1) * params.width + column];
  }
  var of_dy = Item();
  var of_product = Item();
  for (var row = first + lane; row < end; row += lanes) {
    let at = row * params.width + column;
    let d = dy[at];
    of_dy += d;
    of_product += d * (x[at] - mean);
  }
  of_dy = total(of_dy, lanes);
  of_product = total(of_product, lanes);
  if (lane == 0 && live) {
    partials[2 * image * params.width + column] = of_dy;
    partials[(2 * image + 1) * params.width + column] = of_product;
  }
}
