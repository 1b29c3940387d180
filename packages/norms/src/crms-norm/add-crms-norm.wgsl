// sum = x + residual, y = crmsNorm(sum), a team a row. A lane reads back only what it has written itself.
struct Params { rows: u32, width: u32, d: f32, epsilon: f32 }

@group(0) @binding(0) var<storage, read> x: array<Item>;
@group(0) @binding(1) var<storage, read> residual: array<Item>;
@group(0) @binding(2) var<storage, read_write> y: array<Item>;
@group(0) @binding(3) var<storage, read_write> sum: array<Item>;
@group(0) @binding(4) var<uniform> params: Params;

fn work(row: u32, lane: u32, lanes: u32) {
  // Teams too many read and write nothing, but take part in sums.
  let width = select(0u, params.width, row < params.rows);
  let start = row * params.width;
  var row_sum = Item();
  var squares = Item();
  for (var i = lane; i < width; i += lanes) {
    let value = x[start + i] + residual[start + i];
    sum[start + i] = value;
    row_sum += value;
    squares += value * value;
  }
  let both = totals(vec4f(across(row_sum), across(squares), 0, 0), lane);
  let r = inverseSqrt((both.y + both.x * both.x) / params.d + params.epsilon);
  for (var i = lane; i < width; i += lanes) {
    y[start + i] = sum[start + i] * r;
  }
}
