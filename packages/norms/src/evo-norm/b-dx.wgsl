// dx = t - (t z slope where R is larger) + what goes through the sample's root and the batch's variance, with t = dy gamma / max(L, R).
struct Params {
  rows: u32, width: u32, rows_per_block: u32, blocks: u32, samples: u32, positions: u32, epsilon: f32, variant: u32,
  has_gamma: u32, has_v: u32, training: u32,
}

@group(0) @binding(0) var<storage, read> x: array<Item>;
@group(0) @binding(1) var<storage, read> dy: array<Item>;
@group(0) @binding(2) var<storage, read> variance: array<Item>;
@group(0) @binding(3) var<storage, read> gamma: array<Item>;
@group(0) @binding(4) var<storage, read> v: array<Item>;
// [samples, 3, width] and, in training, [2, width]: as b-coefficients.wgsl has it
@group(0) @binding(5) var<storage, read> own: array<Item>;
@group(0) @binding(6) var<storage, read_write> dx: array<Item>;
@group(0) @binding(7) var<uniform> params: Params;

fn work(block: u32, column: u32, first: u32, end: u32) {
  let left = sqrt(variance[column] + params.epsilon);
  let r = 1 / left;
  var scale = Item(1);
  if (params.has_gamma == 1) {
    scale = gamma[column];
  }
  var batch_mean = Item();
  var of_batch = Item();
  if (params.training == 1) {
    let batch = 3 * params.samples * params.width + column;
    batch_mean = own[batch];
    of_batch = own[batch + params.width];
  }
  for (var row = first; row < end; row++) {
    let sample = 3 * (row / params.positions) * params.width + column;
    let root = own[sample + params.width];
    let slope = slope_of(column, root);
    let at = row * params.width + column;
    let value = x[at];
    let right = slope * value + root;
    let is_left = left >= right;
    let inverse = r / select(right * r, Item(1), is_left);
    let t = dy[at] * scale * inverse;
    let through_slope = select(t * (value * inverse) * slope, Item(0), is_left);
    var centred = value;
    if (params.variant == 0) {
      centred -= own[sample];
    }
    dx[at] = t - through_slope + centred * own[sample + 2 * params.width] + (value - batch_mean) * of_batch;
  }
}
