// A team a group of channels: dx = dy scale + (x - center) slope + offset by sample and channel, and the sums that the parameters' gradients
// are made of. With P positions, by sample and channel: a = gamma / sqrt(variance + epsilon), d the own mean after the batch part less the
// group's, S1 = sum of dy, S2 = sum of dy (x - own mean), M2 = sum of (x - own mean)^2; by group r, and the means of g and of g z:
// sum of dy z = r (a S2 + d S1), sum of dx1 = r (channelGamma S1 - P mG - P mGz r d),
// sum of dx1 (x - own mean) = r (channelGamma S2 - mGz r a M2).
struct Params {
  teams: u32, samples: u32, positions: u32, parts: u32, rows_per_part: u32, width: u32, group_width: u32, per_channel: u32,
  epsilon: f32, has_gamma: u32, has_beta: u32, has_channel_gamma: u32,
}

// [samples, parts, 4, width]
@group(0) @binding(0) var<storage, read> partials: array<f32>;
@group(0) @binding(1) var<storage, read> mean: array<f32>;
@group(0) @binding(2) var<storage, read> variance: array<f32>;
@group(0) @binding(3) var<storage, read> gamma: array<f32>;
@group(0) @binding(4) var<storage, read> beta: array<f32>;
@group(0) @binding(5) var<storage, read> channelGamma: array<f32>;
// [samples, 4, width], and four rows: gradients of gamma, beta, channelGamma and channelBeta, the latter by channel
@group(0) @binding(6) var<storage, read_write> coefficients: array<f32>;
@group(0) @binding(7) var<uniform> params: Params;

fn rows_in(part: u32) -> f32 {
  return f32(min(params.rows_per_part, params.positions - part * params.rows_per_part));
}

/** Leaves own mean, M2, S1 and S2 in the places of the coefficients. */
fn merge(c: u32) {
  for (var n = 0u; n < params.samples; n++) {
    let first = 4 * n * params.parts * params.width + c;
    var sum = 0f;
    var of_dy = 0f;
    for (var part = 0u; part < params.parts; part++) {
      let at = first + 4 * part * params.width;
      sum += rows_in(part) * partials[at];
      of_dy += partials[at + 2 * params.width];
    }
    let own = sum / f32(params.positions);
    var squares = 0f;
    var of_product = 0f;
    for (var part = 0u; part < params.parts; part++) {
      let at = first + 4 * part * params.width;
      let difference = partials[at] - own;
      squares += partials[at + params.width] + rows_in(part) * difference * difference;
      of_product += partials[at + 3 * params.width] + difference * partials[at + 2 * params.width];
    }
    let to = 4 * n * params.width + c;
    coefficients[to] = own;
    coefficients[to + params.width] = squares;
    coefficients[to + 2 * params.width] = of_dy;
    coefficients[to + 3 * params.width] = of_product;
  }
}

fn root_of(c: u32) -> f32 {
  return inverseSqrt(variance[c] + params.epsilon);
}

fn slope_of(c: u32) -> f32 {
  if (params.has_gamma == 1) {
    return root_of(c) * gamma[c];
  }
  return root_of(c);
}

/** Where the batch part puts a channel's own mean. */
fn place(own: f32, c: u32) -> f32 {
  let at = slope_of(c) * (own - mean[c]);
  if (params.has_beta == 1) {
    return at + beta[c];
  }
  return at;
}

fn channel_of(team: u32, c: u32) -> f32 {
  if (params.has_channel_gamma == 1) {
    return channelGamma[select(team, c, params.per_channel == 1)];
  }
  return 1;
}

fn work(team: u32, lane: u32, lanes: u32) {
  // Teams too many read and write nothing, but take part in sums.
  let live = team < params.teams;
  let first = team * params.group_width;
  let end = select(0u, first + params.group_width, live);
  let width = params.width;
  let p = f32(params.positions);
  let channels = f32(params.group_width);
  let parameters = 4 * params.samples * width;
  for (var c = first + lane; c < end; c += lanes) {
    merge(c);
    for (var i = 0u; i < 4; i++) {
      coefficients[parameters + i * width + c] = 0;
    }
  }
  for (var n = 0u; n < params.samples; n++) {
    let row = 4 * n * width;
    var sum = 0f;
    for (var c = first + lane; c < end; c += lanes) {
      sum += place(coefficients[row + c], c);
    }
    let middle = total(sum, lane) / channels;
    var squares = 0f;
    for (var c = first + lane; c < end; c += lanes) {
      let apart = place(coefficients[row + c], c) - middle;
      let slope = slope_of(c);
      squares += slope * slope * coefficients[row + width + c] / p + apart * apart;
    }
    let r = inverseSqrt(total(squares, lane) / channels + params.epsilon);
    var of_g = 0f;
    var of_gz = 0f;
    for (var c = first + lane; c < end; c += lanes) {
      let s1 = coefficients[row + 2 * width + c];
      let d = place(coefficients[row + c], c) - middle;
      let product = r * (slope_of(c) * coefficients[row + 3 * width + c] + d * s1);
      let channel = channel_of(team, c);
      of_g += channel * s1;
      of_gz += channel * product;
      coefficients[parameters + 2 * width + c] += product;
      coefficients[parameters + 3 * width + c] += s1;
    }
    let means = totals(vec4f(of_g, of_gz, 0, 0), lane) / (channels * p);
    for (var c = first + lane; c < end; c += lanes) {
      let own = coefficients[row + c];
      let a = slope_of(c);
      let d = place(own, c) - middle;
      let channel = channel_of(team, c);
      let of_x1 = r * (channel * coefficients[row + 2 * width + c] - p * (means.x + means.y * r * d));
      let of_centred = r * (channel * coefficients[row + 3 * width + c] - means.y * r * a * coefficients[row + width + c]);
      coefficients[parameters + c] += root_of(c) * (of_centred + (own - mean[c]) * of_x1);
      coefficients[parameters + width + c] += of_x1;
      coefficients[row + width + c] = a * r * channel;
      coefficients[row + 2 * width + c] = -a * a * r * r * means.y;
      coefficients[row + 3 * width + c] = -a * r * (means.x + r * means.y * d);
    }
  }
}
