// sum = x + residual, y = layerNorm(sum), a team a row. A lane reads back only what it has written itself.
struct Params { rows: u32, width: u32, count: f32, epsilon: f32, has_gamma: u32, has_beta: u32, activation: u32 }

@group(0) @binding(0) var<storage, read> x: array<Item>;
@group(0) @binding(1) var<storage, read> residual: array<Item>;
@group(0) @binding(2) var<storage, read> gamma: array<Item>;
@group(0) @binding(3) var<storage, read> beta: array<Item>;
@group(0) @binding(4) var<storage, read_write> y: array<Item>;
@group(0) @binding(5) var<storage, read_write> sum: array<Item>;
@group(0) @binding(6) var<uniform> params: Params;

fn work(row: u32, lane: u32, lanes: u32) {
  // Teams too many read and write nothing, but take part in sums.
  let width = select(0u, params.width, row < params.rows);
  let start = row * params.width;
  var row_sum = Item();
  for (var i = lane; i < width; i += lanes) {
    let value = x[start + i] + residual[start + i];
    sum[start + i] = value;
    row_sum += value;
  }
  let mean = total(across(row_sum), lane) / params.count;
  var squares = Item();
  for (var i = lane; i < width; i += lanes) {
    let centred = sum[start + i] - mean;
    squares += centred * centred;
  }
  let r = inverseSqrt(total(across(squares), lane) / params.count + params.epsilon);
  for (var i = lane; i < width; i += lanes) {
    var value = (sum[start + i] - mean) * r;
    if (params.has_gamma == 1) {
      value *= gamma[i];
    }
    if (params.has_beta == 1) {
      value += beta[i];
    }
    y[start + i] = activate(value, params.activation);
  }
}
