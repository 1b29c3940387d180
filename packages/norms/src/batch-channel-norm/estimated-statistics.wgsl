
fn row_of(statistic: u32) -> u32 {
  return (3 * params.samples + statistic) * params.width;
}

/** NaN or infinite, told by its bits: comparisons need not know NaN. */
fn strange(value: f32) -> bool {
  return (bitcast<u32>(value) & 0x7f800000u) == 0x7f800000u;
}

/** New mean and variance, and the batch's own, about the old mean. What is not finite moves nothing. */
fn settle(c: u32) {
  let old = mean[c];
  var sum = 0f;
  var squares = 0f;
  for (var n = 0u; n < params.samples; n++) {
    let at = 3 * n * params.width + c;
    let away = coefficients[at] - old;
    sum += away;
    squares += coefficients[at + params.width] + away * away;
  }
  let batch_mean = old + sum / f32(params.samples);
  let batch_variance = squares / f32(params.samples);
  let rate = select(params.rate, 0f, strange(batch_mean) || strange(batch_variance));
  coefficients[row_of(0) + c] = old;
  coefficients[row_of(1) + c] = variance[c];
  if (rate > 0) {
    coefficients[row_of(0) + c] = old + rate * (batch_mean - old);
    coefficients[row_of(1) + c] = variance[c] + rate * (batch_variance - variance[c]);
  }
  coefficients[row_of(2) + c] = batch_mean;
  coefficients[row_of(3) + c] = batch_variance;
}

fn mean_of(c: u32) -> f32 {
  return coefficients[row_of(0) + c];
}

fn variance_of(c: u32) -> f32 {
  return coefficients[row_of(1) + c];
}
