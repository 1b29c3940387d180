// Stands behind kernels that merge the moments of a set's blocks, as every team does for its own columns.
// n variance = sum over blocks of their squared differences + n_b (mean_b - mean)^2: Chan, Golub, LeVeque 1979, equation 2.1 for many parts.

struct Moments { count: Item, mean: Item, variance: Item }

fn merged(of_set: u32, region: u32, column: u32, lane: u32, lanes: u32, live: bool) -> Moments {
  let blocks = select(0u, params.blocks, live);
  let stride = params.regions * 3 * params.width;
  let first = of_set * params.blocks * stride + region * 3 * params.width + column;
  var counts = Item();
  var sum = Item();
  for (var block = lane; block < blocks; block += lanes) {
    let at = first + block * stride;
    // A block without pixels of the region has a mean of 0.
    counts += partials[at];
    sum += partials[at] * partials[at + params.width];
  }
  let count = total(counts, lanes);
  let divisor = max(count, Item(1));
  let mean = total(sum, lanes) / divisor;
  var squares = Item();
  for (var block = lane; block < blocks; block += lanes) {
    let at = first + block * stride;
    let difference = partials[at + params.width] - mean;
    squares += partials[at + 2 * params.width] + partials[at] * difference * difference;
  }
  return Moments(count, mean, total(squares, lanes) / divisor);
}

fn keep(of_set: u32, region: u32, column: u32, moments: Moments) {
  let at = (of_set * params.regions + region) * 3 * params.width + column;
  statistics[at] = moments.count;
  statistics[at + params.width] = moments.mean;
  statistics[at + 2 * params.width] = moments.variance;
}
