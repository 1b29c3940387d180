// A team a group of a sample: the mean (or 0), r = 1 / sqrt(variance or mean square + epsilon), and
// -mean(g z) r^2 with g = dy gamma and z = x sigmoid(v x) r.
struct Params {
  teams: u32, groups: u32, positions: u32, width: u32, group_width: u32, count: f32, epsilon: f32, centred: u32,
  has_gamma: u32, has_v: u32,
}

@group(0) @binding(0) var<storage, read> x: array<Item>;
@group(0) @binding(1) var<storage, read> dy: array<Item>;
@group(0) @binding(2) var<storage, read> gamma: array<Item>;
@group(0) @binding(3) var<storage, read> v: array<Item>;
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

fn work(team: u32, lane: u32, lanes: u32) {
  // Teams too many read and write nothing, but take part in sums.
  let positions = select(0u, params.positions, team < params.teams);
  let first_item = (team % params.groups) * params.group_width;
  let start = team / params.groups * params.positions * params.width + first_item;
  let begin = vec2u(lane / params.group_width, lane % params.group_width);
  let step = vec2u(lanes / params.group_width, lanes % params.group_width);
  var mean = 0f;
  if (params.centred == 1) {
    var sum = Item();
    for (var at = begin; at.x < positions; at = advance(at, step)) {
      sum += x[start + at.x * params.width + at.y];
    }
    mean = total(across(sum), lane) / params.count;
  }
  var squares = Item();
  var products = Item();
  for (var at = begin; at.x < positions; at = advance(at, step)) {
    let i = start + at.x * params.width + at.y;
    let item = first_item + at.y;
    let centred = x[i] - mean;
    squares += centred * centred;
    var t = x[i];
    if (params.has_v == 1) {
      t *= v[item];
    }
    var g = dy[i];
    if (params.has_gamma == 1) {
      g *= gamma[item];
    }
    products += g * (x[i] * sigmoid(t));
  }
  let means = totals(vec4f(across(squares), across(products), 0, 0), lane) / params.count;
  if (lane == 0 && team < params.teams) {
    let r = inverseSqrt(means.x + params.epsilon);
    statistics[team] = vec4f(mean, r, -means.y * r * r * r, 0);
  }
}
