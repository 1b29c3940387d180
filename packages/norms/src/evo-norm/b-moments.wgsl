// Mean, and sum of squared differences from it, of a part of a sample's positions.
struct Params { samples: u32, positions: u32, parts: u32, rows_per_part: u32, width: u32 }

@group(0) @binding(0) var<storage, read> x: array<Item>;
// [samples, parts, 2, width]
@group(0) @binding(1) var<storage, read_write> moments: array<Item>;
@group(0) @binding(2) var<uniform> params: Params;

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
  for (var row = first + lane; row < end; row += lanes) {
    let centred = x[row * params.width + column] - mean;
    squares += centred * centred;
  }
  squares = total(squares, lanes);
  if (lane == 0 && live) {
    moments[2 * block * params.width + column] = mean;
    moments[(2 * block + 1) * params.width + column] = squares;
  }
}
