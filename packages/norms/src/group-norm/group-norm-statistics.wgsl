// A team a group of a sample: mean, 1 / sqrt(var + epsilon), mean of g, mean of g xhat, with g = dz gamma, and dz dy times the slope
// of the activation.
struct Params {
  teams: u32, groups: u32, positions: u32, width: u32, group_width: u32, count: f32, epsilon: f32, has_gamma: u32, has_beta: u32,
  activation: u32,
}

@group(0) @binding(0) var<storage, read> x: array<Item>;
@group(0) @binding(1) var<storage, read> dy: array<Item>;
@group(0) @binding(2) var<storage, read> gamma: array<Item>;
@group(0) @binding(3) var<storage, read> beta: array<Item>;
// [samples, groups, 4]
@group(0) @binding(4) var<storage, read_write> statistics: array<vec4f>;
@group(0) @binding(5) var<uniform> params: Params;

/** Position and item within the group, `step` items on. */
fn advance(place: vec2u, step: vec2u) -> vec2u {
  let next = place + step;
  if (next.y >= params.group_width) {
    return vec2u(next.x + 1, next.y - params.group_width);
  }
  return next;
}

/** g of an item, of which `column` is the place among the channels. */
fn g_at(i: u32, column: u32, xhat: Item) -> Item {
  var scale = Item(1);
  if (params.has_gamma == 1) {
    scale = gamma[column];
  }
  if (params.activation == 0) {
    return dy[i] * scale;
  }
  var z = xhat * scale;
  if (params.has_beta == 1) {
    z += beta[column];
  }
  return deactivate(z, dy[i], params.activation) * scale;
}

fn work(team: u32, lane: u32, lanes: u32) {
  // Teams too many read and write nothing, but take part in sums.
  let positions = select(0u, params.positions, team < params.teams);
  let first_item = (team % params.groups) * params.group_width;
  let start = team / params.groups * params.positions * params.width + first_item;
  let begin = vec2u(lane / params.group_width, lane % params.group_width);
  let step = vec2u(lanes / params.group_width, lanes % params.group_width);
  var sum = Item();
  for (var at = begin; at.x < positions; at = advance(at, step)) {
    sum += x[start + at.x * params.width + at.y];
  }
  let mean = total(across(sum), lane) / params.count;
  var squares = Item();
  var sum_g = Item();
  var sum_gx = Item();
  for (var at = begin; at.x < positions; at = advance(at, step)) {
    let i = start + at.x * params.width + at.y;
    let centred = x[i] - mean;
    squares += centred * centred;
    if (params.activation == 0) {
      let g = g_at(i, first_item + at.y, centred);
      sum_g += g;
      sum_gx += g * centred;
    }
  }
  if (params.activation != 0) {
    // The slope depends on the variance: one more reading.
    let root = inverseSqrt(total(across(squares), lane) / params.count + params.epsilon);
    for (var at = begin; at.x < positions; at = advance(at, step)) {
      let i = start + at.x * params.width + at.y;
      let centred = x[i] - mean;
      let g = g_at(i, first_item + at.y, centred * root);
      sum_g += g;
      sum_gx += g * centred;
    }
  }
  let means = totals(vec4f(across(squares), across(sum_g), across(sum_gx), 0), lane) / params.count;
  if (lane == 0 && team < params.teams) {
    let r = inverseSqrt(means.x + params.epsilon);
    statistics[team] = vec4f(mean, r, means.y, means.z * r);
  }
}
