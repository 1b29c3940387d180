// y = f(gamma (x - mean) / sqrt(var + epsilon) + beta), a team a row. The row is read three times: its caches hold it.
struct Params { rows: u32, width: u32, count: f32, epsilon: f32, has_gamma: u32, has_beta: u32, activation: u32 }

@group(0) @binding(0) var<storage, read> x: array<Item>;
@group(0) @binding(1) var<storage, read> gamma: array<Item>;
@group(0) @binding(2) var<storage, read> beta: array<Item>;
@group(0) @binding(3) var<storage, read_write> y: array<Item>;
@group(0) @binding(4) var<uniform> params: Params;

fn work(row: u32, lane: u32, lanes: u32) {
  // Teams too many read and write nothing, but take part in sums.
  let width = select(0u, params.width, row < params.rows);
  let start = row * params.width;
  var sum = Item();
  for (var i = lane; i < width; i += lanes) {
    sum += x[start + i];
  }
  let mean = total(across(sum), lane) / params.count;
  var squares = Item();
  for (var i = lane; i < width; i += lanes) {
    let centred = x[start + i] - mean;
    squares += centred * centred;
  }
  let r = inverseSqrt(total(across(squares), lane) / params.count + params.epsilon);
  for (var i = lane; i < width; i += lanes) {
    var value = (x[start + i] - mean) * r;
    if (params.has_gamma == 1) {
      value *= gamma[i];
    }
    if (params.has_beta == 1) {
      value += beta[i];
    }
    y[start + i] = activate(value, params.activation);
  }
}
