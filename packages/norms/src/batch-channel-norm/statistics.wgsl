
// The coefficients hold what the outputs get: WebGPU promises no more than eight bindings for one kernel, and their own has no room for these.
@group(0) @binding(4) var<storage, read_write> newMean: array<Item>;
@group(0) @binding(5) var<storage, read_write> newVariance: array<Item>;
@group(0) @binding(6) var<storage, read_write> batchMean: array<Item>;
@group(0) @binding(7) var<storage, read_write> batchVariance: array<Item>;

fn hand_over(column: u32) {
  let at = 3 * params.samples * params.width + column;
  newMean[column] = coefficients[at];
  newVariance[column] = coefficients[at + params.width];
  batchMean[column] = coefficients[at + 2 * params.width];
  batchVariance[column] = coefficients[at + 3 * params.width];
}
