// With a given variance: divides one part of a sample.
struct Params {
  samples: u32, positions: u32, parts: u32, rows_per_part: u32, width: u32, epsilon: f32, variant: u32,
  has_gamma: u32, has_beta: u32, has_v: u32,
}

@group(0) @binding(0) var<storage, read> x: array<Item>;
@group(0) @binding(1) var<storage, read> variance: array<Item>;
@group(0) @binding(2) var<storage, read> gamma: array<Item>;
@group(0) @binding(3) var<storage, read> beta: array<Item>;
@group(0) @binding(4) var<storage, read> v: array<Item>;
// [samples, parts, 2, width]
@group(0) @binding(5) var<storage, read> moments: array<Item>;
@group(0) @binding(6) var<storage, read_write> y: array<Item>;
@group(0) @binding(7) var<uniform> params: Params;

fn work(block: u32, column: u32, lane: u32, lanes: u32) {
  // Lanes beyond the last column or block read and write nothing, but take part in sums.
  let live = column < params.width && block < params.samples * params.parts;
  let first = block / params.parts * params.parts;
  let own = merged(column, first, select(0u, first + params.parts, live), f32(params.positions), lane, lanes);
  if (live) {
    divide(block, column, lane, lanes, own, variance[column]);
  }
}
