// In training: merges the moments of the batch, as every team does for its own columns, and divides one part of a sample.
struct Params {
  samples: u32, positions: u32, parts: u32, rows_per_part: u32, width: u32, epsilon: f32, variant: u32,
  has_gamma: u32, has_beta: u32, has_v: u32,
}

@group(0) @binding(0) var<storage, read> x: array<Item>;
@group(0) @binding(1) var<storage, read> gamma: array<Item>;
@group(0) @binding(2) var<storage, read> beta: array<Item>;
@group(0) @binding(3) var<storage, read> v: array<Item>;
// [samples, parts, 2, width]
@group(0) @binding(4) var<storage, read> moments: array<Item>;
@group(0) @binding(5) var<storage, read_write> y: array<Item>;
@group(0) @binding(6) var<storage, read_write> variance: array<Item>;
@group(0) @binding(7) var<uniform> params: Params;

fn work(block: u32, column: u32, lane: u32, lanes: u32) {
  let blocks = params.samples * params.parts;
  // Lanes beyond the last column or block read and write nothing, but take part in sums.
  let live = column < params.width && block < blocks;
  let first = block / params.parts * params.parts;
  let batch = merged(column, 0, select(0u, blocks, live), f32(params.samples * params.positions), lane, lanes);
  let own = merged(column, first, select(0u, first + params.parts, live), f32(params.positions), lane, lanes);
  if (!live) {
    return;
  }
  if (block == 0 && lane == 0) {
    variance[column] = batch[1];
  }
  divide(block, column, lane, lanes, own, batch[1]);
}
