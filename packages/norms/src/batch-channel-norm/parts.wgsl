
fn rows_in(part: u32) -> f32 {
  return f32(min(params.rows_per_part, params.positions - part * params.rows_per_part));
}

/** Leaves a channel's own mean and mean of squared differences in the places of center and scale. */
fn merge(c: u32) {
  for (var n = 0u; n < params.samples; n++) {
    let first = 2 * n * params.parts * params.width + c;
    var sum = 0f;
    for (var part = 0u; part < params.parts; part++) {
      sum += rows_in(part) * moments[first + 2 * part * params.width];
    }
    let own = sum / f32(params.positions);
    var squares = 0f;
    for (var part = 0u; part < params.parts; part++) {
      let at = first + 2 * part * params.width;
      let difference = moments[at] - own;
      squares += moments[at + params.width] + rows_in(part) * difference * difference;
    }
    let to = 3 * n * params.width + c;
    coefficients[to] = own;
    coefficients[to + params.width] = squares / f32(params.positions);
  }
}
