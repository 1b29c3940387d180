// A team an image: its assignment to the components, and from that the statistics it is normalized by.
struct Params { teams: u32, width: u32, positions: f32, components: u32, temperature: f32, exact: f32 }

// [images, 2, width]: means, and sums of squared differences
@group(0) @binding(0) var<storage, read> partials: array<Item>;
@group(0) @binding(1) var<storage, read> means: array<Item>;
@group(0) @binding(2) var<storage, read> variances: array<Item>;
@group(0) @binding(3) var<storage, read_write> assignment: array<f32>;
// [images, 4, width]
@group(0) @binding(4) var<storage, read_write> statistics: array<Item>;
// Whether an image's statistics are finite.
@group(0) @binding(5) var<storage, read_write> counts: array<i32>;
@group(0) @binding(6) var<uniform> params: Params;

const SHORTEST = 1e-12;

/** NaN or infinite, told by its bits: comparisons need not know NaN. */
fn strange(value: f32) -> bool {
  return (bitcast<u32>(value) & 0x7f800000u) == 0x7f800000u;
}

fn work(team: u32, lane: u32, lanes: u32) {
  // Teams too many read and write nothing, but take part in sums.
  let live = team < params.teams;
  let width = select(0u, params.width, live);
  let own = 2 * team * params.width;
  var squares = Item();
  var bad = 0f;
  for (var i = lane; i < width; i += lanes) {
    let mu = partials[own + i];
    squares += mu * mu;
    if (strange(across(mu)) || strange(across(partials[own + params.width + i]))) {
      bad += 1;
    }
  }
  let found = totals(vec4f(across(squares), bad, 0, 0), lane);
  let norm = max(sqrt(found.x), SHORTEST);

  let row = team * params.components;
  var largest = -3e38;
  var shares = 0f;
  for (var k = 0u; k < params.components; k++) {
    var dot = Item();
    var bank = Item();
    for (var i = lane; i < width; i += lanes) {
      let component = means[k * params.width + i];
      dot += component * partials[own + i];
      bank += component * component;
    }
    let both = totals(vec4f(across(dot), across(bank), 0, 0), lane);
    let score = both.x / (norm * max(sqrt(both.y), SHORTEST)) / params.temperature;
    let next = max(largest, score);
    shares = shares * exp(largest - next) + exp(score - next);
    largest = next;
    if (lane == 0 && live) {
      assignment[row + k] = score;
    }
  }
  if (lane == 0 && live) {
    for (var k = 0u; k < params.components; k++) {
      assignment[row + k] = exp(assignment[row + k] - largest) / shares;
    }
    counts[team] = select(0, 1, found.y == 0 && !strange(shares));
  }
  // The shares are one thread's work, and all read them.
  storageBarrier();

  let part = 1 / f32(params.components);
  for (var i = lane; i < width; i += lanes) {
    let mu = partials[own + i];
    let variance = partials[own + params.width + i] / params.positions;
    var offset = Item();
    var within = Item();
    for (var k = 0u; k < params.components; k++) {
      let p = assignment[row + k];
      let away = means[k * params.width + i] - mu;
      let distance = (1 - p) * away;
      let v = variances[k * params.width + i];
      offset += distance;
      within += v + p * (variance - v) + params.exact * p * distance * away;
    }
    offset *= part;
    var pull = Item();
    for (var k = 0u; k < params.components; k++) {
      let p = assignment[row + k];
      let distance = (1 - p) * (means[k * params.width + i] - mu);
      let apart = distance - offset;
      within += apart * apart;
      pull += p * (apart - params.exact * distance);
    }
    let at = 4 * team * params.width + i;
    statistics[at] = mu;
    statistics[at + params.width] = mu + offset;
    statistics[at + 2 * params.width] = within * part;
    statistics[at + 3 * params.width] = 2 * part * pull;
  }
}
