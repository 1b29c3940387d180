// A team a few filters: dkernel = (dy - mean(dy)) / s - (kernel - mean) sum(dy (kernel - mean)) / (s^2 sigma count).
struct Params { rows: u32, width: u32, count: f32, inside_root: u32, epsilon: f32 }

@group(0) @binding(0) var<storage, read> kernel: array<Item>;
@group(0) @binding(1) var<storage, read> dy: array<Item>;
@group(0) @binding(2) var<storage, read_write> y: array<Item>;
@group(0) @binding(3) var<uniform> params: Params;

fn work(block: u32, column: u32, lane: u32, lanes: u32) {
  // Lanes beyond the last filter read and write nothing, but take part in sums.
  let rows = select(0u, params.rows, column < params.width && block == 0);
  var sum = Item();
  var sum_dy = Item();
  for (var row = lane; row < rows; row += lanes) {
    let at = row * params.width + column;
    sum += kernel[at];
    sum_dy += dy[at];
  }
  let mean = total(sum, lanes) / f32(params.rows);
  let mean_dy = total(sum_dy, lanes) / f32(params.rows);
  var squares = Item();
  var product = Item();
  for (var row = lane; row < rows; row += lanes) {
    let at = row * params.width + column;
    let centred = kernel[at] - mean;
    squares += centred * centred;
    product += dy[at] * centred;
  }
  let variance = total(squares, lanes) / params.count;
  product = total(product, lanes);
  var sigma = sqrt(variance);
  var s = sigma + params.epsilon;
  if (params.inside_root == 1) {
    s = sqrt(variance + params.epsilon);
    sigma = s;
  }
  // A constant filter's deviation does not change. Divided in turn: s^2 sigma may be too small a number.
  let slope = select(product / s / s / (max(sigma, Item(1e-30)) * params.count), Item(), sigma == Item());
  for (var row = lane; row < rows; row += lanes) {
    let at = row * params.width + column;
    y[at] = (dy[at] - mean_dy) / s - (kernel[at] - mean) * slope;
  }
}
