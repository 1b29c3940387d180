// 1 / sqrt(mean(x^2) + epsilon) of a group of a token's channels, a team a group.
struct Params { teams: u32, width: u32, count: f32, epsilon: f32 }

@group(0) @binding(0) var<storage, read> x: array<Item>;
// [rows, groups]
@group(0) @binding(1) var<storage, read_write> factors: array<f32>;
@group(0) @binding(2) var<uniform> params: Params;

fn work(team: u32, lane: u32, lanes: u32) {
  // Teams too many read and write nothing, but take part in sums.
  let width = select(0u, params.width, team < params.teams);
  let start = team * params.width;
  var squares = Item();
  for (var i = lane; i < width; i += lanes) {
    let value = x[start + i];
    squares += value * value;
  }
  let mean = total(across(squares), lane) / params.count;
  if (lane == 0 && team < params.teams) {
    factors[team] = inverseSqrt(mean + params.epsilon);
  }
}
