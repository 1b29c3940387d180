/** Writes dgamma, dbeta and dv of their parts, and to each sample what goes through its root; returns the variance's gradient. */
fn totals_of(column: u32) -> f32 {
  var scale = 1f;
  if (params.has_gamma == 1) {
    scale = gamma[column];
  }
  var of_dy = 0f;
  var of_product = 0f;
  var of_left = 0f;
  var of_x = 0f;
  var at = column;
  for (var sample = 0u; sample < params.samples; sample++) {
    var own_right = 0f;
    var own_x = 0f;
    for (var part = 0u; part < params.parts; part++) {
      of_dy += partials[at];
      of_product += partials[at + params.width];
      of_left += partials[at + 2 * params.width];
      own_right += partials[at + 3 * params.width];
      own_x += partials[at + 4 * params.width];
      at += 5 * params.width;
    }
    of_x += own_x;
    let through = select(own_right, own_right + own_x, params.variant == 1);
    let root = own[(3 * sample + 1) * params.width + column];
    own[(3 * sample + 2) * params.width + column] = scale * through / (root * f32(params.positions));
  }
  dbeta[column] = of_dy;
  dgamma[column] = of_product;
  dv[column] = select(0f, scale * of_x, params.variant == 0);
  return scale * of_left / (2 * sqrt(variance[column] + params.epsilon));
}
