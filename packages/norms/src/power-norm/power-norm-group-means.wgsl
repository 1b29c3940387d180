// With xs = x s and dxs = dy a - xs b: s of a group of a token's channels, and mean(dxs xs), a team a group.
// a = gamma / sqrt(backwardPhi + epsilon); b = (1 - alpha) emaGz / (sqrt(backwardPhi + epsilon) sqrt(forwardPhi + epsilon)).
struct Params { teams: u32, groups: u32, width: u32, count: f32, epsilon: f32, alpha_backward: f32, has_gamma: u32 }

@group(0) @binding(0) var<storage, read> x: array<Item>;
@group(0) @binding(1) var<storage, read> dy: array<Item>;
@group(0) @binding(2) var<storage, read> forwardPhi: array<Item>;
@group(0) @binding(3) var<storage, read> backwardPhi: array<Item>;
@group(0) @binding(4) var<storage, read> emaGz: array<Item>;
@group(0) @binding(5) var<storage, read> gamma: array<Item>;
// [rows, groups]
@group(0) @binding(6) var<storage, read_write> factors: array<vec2f>;
@group(0) @binding(7) var<uniform> params: Params;

fn work(team: u32, lane: u32, lanes: u32) {
  // Teams too many read and write nothing, but take part in sums.
  let width = select(0u, params.width, team < params.teams);
  let start = team * params.width;
  let first = (team % params.groups) * params.width;
  var squares = Item();
  var of_dy = Item();
  var of_x = Item();
  for (var i = lane; i < width; i += lanes) {
    let value = x[start + i];
    let column = first + i;
    let r = inverseSqrt(backwardPhi[column] + params.epsilon);
    var a = r;
    if (params.has_gamma == 1) {
      a *= gamma[column];
    }
    let b = (1 - params.alpha_backward) * emaGz[column] * r * inverseSqrt(forwardPhi[column] + params.epsilon);
    squares += value * value;
    of_dy += dy[start + i] * a * value;
    of_x += b * value * value;
  }
  let means = totals(vec4f(across(squares), across(of_dy), across(of_x), 0), lane) / params.count;
  if (lane == 0 && team < params.teams) {
    let s = inverseSqrt(means.x + params.epsilon);
    factors[team] = vec2f(s, s * (means.y - s * means.z));
  }
}
