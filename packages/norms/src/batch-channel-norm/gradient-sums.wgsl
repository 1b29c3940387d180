// Of a part of a sample's positions: the mean of x, and sums of (x - mean)^2, dy and dy (x - mean).
struct Params { samples: u32, positions: u32, parts: u32, rows_per_part: u32, width: u32 }

@group(0) @binding(0) var<storage, read> x: array<Item>;
@group(0) @binding(1) var<storage, read> dy: array<Item>;
// [samples, parts, 4, width]
@group(0) @binding(2) var<storage, read_write> partials: array<Item>;
@group(0) @binding(3) var<uniform> params: Params;

fn work(block: u32, column: u32, lane: u32, lanes: u32) {
  let start = block / params.parts * params.positions;
  let first = start + block % params.parts * params.rows_per_part;
  // Lanes beyond the last column or row read and write nothing, but take part in sums.
  let live = column < params.width && block < params.samples * params.parts;
  let end = select(0u, min(first + params.rows_per_part, start + params.positions), live);
  var sum = Item();
  for (var row = first + lane; row < end; row += lanes) {
    sum += x[row * params.width + column];
  }
  let mean = total(sum, lanes) / f32(end - first);
  var squares = Item();
  var of_dy = Item();
  var of_product = Item();
  for (var row = first + lane; row < end; row += lanes) {
    let centred = x[row * params.width + column] - mean;
    let d = dy[row * params.width + column];
    squares += centred * centred;
    of_dy += d;
    of_product += d * centred;
  }
  squares = total(squares, lanes);
  of_dy = total(of_dy, lanes);
  of_product = total(of_product, lanes);
  if (lane == 0 && live) {
    let at = 4 * block * params.width + column;
    partials[at] = mean;
    partials[at + params.width] = squares;
    partials[at + 2 * params.width] = of_dy;
    partials[at + 3 * params.width] = of_product;
  }
}
