// y = x / sqrt((sum(x^2) + sum(x)^2) / d + epsilon), a team a row.
struct Params { rows: u32, width: u32, d: f32, epsilon: f32 }

@group(0) @binding(0) var<storage, read> x: array<Item>;
@group(0) @binding(1) var<storage, read_write> y: array<Item>;
@group(0) @binding(2) var<uniform> params: Params;

fn work(row: u32, lane: u32, lanes: u32) {
  // Teams too many read and write nothing, but take part in sums.
  let width = select(0u, params.width, row < params.rows);
  let start = row * params.width;
  var sum = Item();
  var squares = Item();
  for (var i = lane; i < width; i += lanes) {
    let value = x[start + i];
    sum += value;
    squares += value * value;
  }
  let both = totals(vec4f(across(sum), across(squares), 0, 0), lane);
  let r = inverseSqrt((both.y + both.x * both.x) / params.d + params.epsilon);
  for (var i = lane; i < width; i += lanes) {
    y[start + i] = x[start + i] * r;
  }
}
