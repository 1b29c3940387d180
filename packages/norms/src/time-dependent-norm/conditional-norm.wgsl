// Layer or root-mean-square normalization with gamma and beta of the row's sample, a team a row.
struct Params {
  rows: u32, width: u32, count: f32, epsilon: f32, centre: u32, has_gamma: u32, has_beta: u32,
  // Rows that share a row of gamma, and of beta.
  gamma_rows: u32, beta_rows: u32,
}

@group(0) @binding(0) var<storage, read> x: array<Item>;
@group(0) @binding(1) var<storage, read> gamma: array<Item>;
@group(0) @binding(2) var<storage, read> beta: array<Item>;
@group(0) @binding(3) var<storage, read_write> y: array<Item>;
@group(0) @binding(4) var<uniform> params: Params;

fn work(row: u32, lane: u32, lanes: u32) {
  // Teams too many read and write nothing, but take part in sums.
  let width = select(0u, params.width, row < params.rows);
  let start = row * params.width;
  var mean = 0f;
  if (params.centre == 1) {
    var sum = Item();
    for (var i = lane; i < width; i += lanes) {
      sum += x[start + i];
    }
    mean = total(across(sum), lane) / params.count;
  }
  var squares = Item();
  for (var i = lane; i < width; i += lanes) {
    let centred = x[start + i] - mean;
    squares += centred * centred;
  }
  let square = total(across(squares), lane) / params.count;
  var r = 1 / (sqrt(square) + params.epsilon);
  if (params.centre == 1) {
    r = inverseSqrt(square + params.epsilon);
  }
  let gamma_start = row / params.gamma_rows * params.width;
  let beta_start = row / params.beta_rows * params.width;
  for (var i = lane; i < width; i += lanes) {
    var value = (x[start + i] - mean) * r;
    if (params.has_gamma == 1) {
      value *= gamma[gamma_start + i];
    }
    if (params.has_beta == 1) {
      value += beta[beta_start + i];
    }
    y[start + i] = value;
  }
}
