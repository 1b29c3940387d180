// A team a few filters: y = (kernel - mean) / s.
struct Params { rows: u32, width: u32, count: f32, inside_root: u32, epsilon: f32 }

@group(0) @binding(0) var<storage, read> kernel: array<Item>;
@group(0) @binding(1) var<storage, read_write> y: array<Item>;
@group(0) @binding(2) var<uniform> params: Params;

fn work(block: u32, column: u32, lane: u32, lanes: u32) {
  // Lanes beyond the last filter read and write nothing, but take part in sums.
  let rows = select(0u, params.rows, column < params.width && block == 0);
  var sum = Item();
  for (var row = lane; row < rows; row += lanes) {
    sum += kernel[row * params.width + column];
  }
  let mean = total(sum, lanes) / f32(params.rows);
  var squares = Item();
  for (var row = lane; row < rows; row += lanes) {
    let centred = kernel[row * params.width + column] - mean;
    squares += centred * centred;
  }
  let variance = total(squares, lanes) / params.count;
  var s = sqrt(variance) + params.epsilon;
  if (params.inside_root == 1) {
    s = sqrt(variance + params.epsilon);
  }
  for (var row = lane; row < rows; row += lanes) {
    let at = row * params.width + column;
    y[at] = (kernel[at] - mean) / s;
  }
}
