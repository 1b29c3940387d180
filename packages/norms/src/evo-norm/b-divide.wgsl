// What training and inference share: a sample's own moments merged of its parts, and y = gamma x / max(L, R) + beta for one part.
// Merging: Chan, Golub, LeVeque 1979, equation 2.1 for many parts.

fn rows_of(block: u32) -> f32 {
  let first = block % params.parts * params.rows_per_part;
  return f32(min(params.rows_per_part, params.positions - first));
}

/** Mean and mean squared difference from it over the blocks [first, end), whose rows are `count`. */
fn merged(column: u32, first: u32, end: u32, count: f32, lane: u32, lanes: u32) -> array<Item, 2> {
  var sum = Item();
  for (var block = first + lane; block < end; block += lanes) {
    sum += rows_of(block) * moments[2 * block * params.width + column];
  }
  let mean = total(sum, lanes) / count;
  var squares = Item();
  for (var block = first + lane; block < end; block += lanes) {
    let difference = moments[2 * block * params.width + column] - mean;
    squares += moments[(2 * block + 1) * params.width + column] + rows_of(block) * difference * difference;
  }
  return array<Item, 2>(mean, total(squares, lanes) / count);
}

fn divide(block: u32, column: u32, lane: u32, lanes: u32, own: array<Item, 2>, biased: Item) {
  var square = own[1];
  if (params.variant > 0) {
    square += own[0] * own[0];
  }
  let root = sqrt(square + params.epsilon);
  var slope = Item(-1);
  if (params.variant == 1) {
    slope = root;
  } else if (params.variant == 0) {
    slope = Item(1);
    if (params.has_v == 1) {
      slope = v[column];
    }
  }
  var scale = Item(1);
  if (params.has_gamma == 1) {
    scale = gamma[column];
  }
  var shift = Item();
  if (params.has_beta == 1) {
    shift = beta[column];
  }
  let left = sqrt(biased + params.epsilon);
  // In units of L: NaN in L or R reaches all results, which max() need not do.
  let r = 1 / left;
  let start = block / params.parts * params.positions;
  let first = start + block % params.parts * params.rows_per_part;
  let end = min(first + params.rows_per_part, start + params.positions);
  for (var row = first + lane; row < end; row += lanes) {
    let at = row * params.width + column;
    let value = x[at];
    let right = slope * value + root;
    let denominator = select(right * r, Item(1), left >= right);
    y[at] = value * r / denominator * scale + shift;
  }
}
