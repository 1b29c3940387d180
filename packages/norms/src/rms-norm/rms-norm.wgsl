// y = f(gamma x / sqrt(mean(x^2) + epsilon)), a team a row.
struct Params { rows: u32, width: u32, count: f32, epsilon: f32, has_gamma: u32, activation: u32 }

@group(0) @binding(0) var<storage, read> x: array<Item>;
@group(0) @binding(1) var<storage, read> gamma: array<Item>;
@group(0) @binding(2) var<storage, read_write> y: array<Item>;
@group(0) @binding(3) var<uniform> params: Params;

fn work(row: u32, lane: u32, lanes: u32) {
  // Teams too many read and write nothing, but take part in sums.
  let width = select(0u, params.width, row < params.rows);
  let start = row * params.width;
  var squares = Item();
  for (var i = lane; i < width; i += lanes) {
    let value = x[start + i];
    squares += value * value;
  }
  let r = inverseSqrt(total(across(squares), lane) / params.count + params.epsilon);
  for (var i = lane; i < width; i += lanes) {
    var value = x[start + i] * r;
    if (params.has_gamma == 1) {
      value *= gamma[i];
    }
    y[start + i] = activate(value, params.activation);
  }
}
