// dx = r dy - r^3 / d sum(dy x) (x + sum(x)) + dsum, a team a row.
struct Params { rows: u32, width: u32, d: f32, epsilon: f32, has_dsum: u32 }

@group(0) @binding(0) var<storage, read> x: array<Item>;
@group(0) @binding(1) var<storage, read> dy: array<Item>;
@group(0) @binding(2) var<storage, read> dsum: array<Item>;
@group(0) @binding(3) var<storage, read_write> dx: array<Item>;
@group(0) @binding(4) var<uniform> params: Params;

fn work(row: u32, lane: u32, lanes: u32) {
  // Teams too many read and write nothing, but take part in sums.
  let width = select(0u, params.width, row < params.rows);
  let start = row * params.width;
  var sum = Item();
  var squares = Item();
  var products = Item();
  for (var i = lane; i < width; i += lanes) {
    let value = x[start + i];
    sum += value;
    squares += value * value;
    products += value * dy[start + i];
  }
  let all = totals(vec4f(across(sum), across(squares), across(products), 0), lane);
  let r = inverseSqrt((all.y + all.x * all.x) / params.d + params.epsilon);
  let slope = -r * r * (all.z / params.d * r);
  for (var i = lane; i < width; i += lanes) {
    let at = start + i;
    var value = dy[at] * r + (x[at] + all.x) * slope;
    if (params.has_dsum == 1) {
      value += dsum[at];
    }
    dx[at] = value;
  }
}
