// A team a group of channels: from the moments of the parts of each sample y = (x - center) scale + shift by sample and channel.
struct Params {
  teams: u32, samples: u32, positions: u32, parts: u32, rows_per_part: u32, width: u32, group_width: u32, per_channel: u32,
  epsilon: f32, rate: f32, has_gamma: u32, has_beta: u32, has_channel_gamma: u32, has_channel_beta: u32,
}

// [samples, parts, 2, width]
@group(0) @binding(0) var<storage, read> moments: array<f32>;
@group(0) @binding(1) var<storage, read> mean: array<f32>;
@group(0) @binding(2) var<storage, read> variance: array<f32>;
@group(0) @binding(3) var<storage, read> gamma: array<f32>;
@group(0) @binding(4) var<storage, read> beta: array<f32>;
@group(0) @binding(5) var<storage, read> channelGamma: array<f32>;
@group(0) @binding(6) var<storage, read> channelBeta: array<f32>;
// [samples, 3, width], and in training four rows of statistics
@group(0) @binding(7) var<storage, read_write> coefficients: array<f32>;
@group(0) @binding(8) var<uniform> params: Params;

fn slope_of(c: u32) -> f32 {
  var slope = inverseSqrt(variance_of(c) + params.epsilon);
  if (params.has_gamma == 1) {
    slope *= gamma[c];
  }
  return slope;
}

/** Where the batch part puts a channel's own mean. */
fn place(own: f32, c: u32) -> f32 {
  let at = slope_of(c) * (own - mean_of(c));
  if (params.has_beta == 1) {
    return at + beta[c];
  }
  return at;
}

fn work(team: u32, lane: u32, lanes: u32) {
  // Teams too many read and write nothing, but take part in sums.
  let live = team < params.teams;
  let first = team * params.group_width;
  let end = select(0u, first + params.group_width, live);
  let count = f32(params.group_width);
  for (var c = first + lane; c < end; c += lanes) {
    merge(c);
    settle(c);
  }
  for (var n = 0u; n < params.samples; n++) {
    let row = 3 * n * params.width;
    var sum = 0f;
    for (var c = first + lane; c < end; c += lanes) {
      sum += place(coefficients[row + c], c);
    }
    let middle = total(sum, lane) / count;
    var squares = 0f;
    for (var c = first + lane; c < end; c += lanes) {
      let apart = place(coefficients[row + c], c) - middle;
      let slope = slope_of(c);
      squares += slope * slope * coefficients[row + params.width + c] + apart * apart;
    }
    let r = inverseSqrt(total(squares, lane) / count + params.epsilon);
    for (var c = first + lane; c < end; c += lanes) {
      let parameter = select(team, c, params.per_channel == 1);
      var factor = r;
      if (params.has_channel_gamma == 1) {
        factor *= channelGamma[parameter];
      }
      var shift = factor * (place(coefficients[row + c], c) - middle);
      if (params.has_channel_beta == 1) {
        shift += channelBeta[parameter];
      }
      coefficients[row + params.width + c] = factor * slope_of(c);
      coefficients[row + 2 * params.width + c] = shift;
    }
  }
}
