// A team a group of a sample: y = f(gamma (x - mean) / sqrt(var + epsilon) + beta).
struct Params {
  teams: u32, groups: u32, positions: u32, width: u32, group_width: u32, count: f32, epsilon: f32, has_gamma: u32, has_beta: u32,
  activation: u32,
}

@group(0) @binding(0) var<storage, read> x: array<Item>;
@group(0) @binding(1) var<storage, read> gamma: array<Item>;
@group(0) @binding(2) var<storage, read> beta: array<Item>;
@group(0) @binding(3) var<storage, read_write> y: array<Item>;
@group(0) @binding(4) var<uniform> params: Params;

/** Position and item within the group, `step` items on. */
fn advance(place: vec2u, step: vec2u) -> vec2u {
  let next = place + step;
  if (next.y >= params.group_width) {
    return vec2u(next.x + 1, next.y - params.group_width);
  }
  return next;
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
  for (var at = begin; at.x < positions; at = advance(at, step)) {
    let centred = x[start + at.x * params.width + at.y] - mean;
    squares += centred * centred;
  }
  let r = inverseSqrt(total(across(squares), lane) / params.count + params.epsilon);
  for (var at = begin; at.x < positions; at = advance(at, step)) {
    let i = start + at.x * params.width + at.y;
    var value = (x[i] - mean) * r;
    if (params.has_gamma == 1) {
      value *= gamma[first_item + at.y];
    }
    if (params.has_beta == 1) {
      value += beta[first_item + at.y];
    }
    y[i] = activate(value, params.activation);
  }
}
