// Decides on the projection, in one workgroup: for each channel the factor of the weight and what is taken out of the step.
struct Params {
  blocks: u32, channels: u32, by_row: u32, has_scale: u32,
  epsilon: f32, row_bound: f32, whole_bound: f32, wd_ratio: f32, rate: f32, decay: f32,
}

// [blocks, channels] of |w|^2, |g|^2, <g, w>, <w, u>; the first row becomes their sums
@group(0) @binding(0) var<storage, read_write> partials: array<vec4f>;
// [channels + 1] of: factor of the weight, what is taken out of the step; then the scale of the gradient
@group(0) @binding(1) var<storage, read_write> factors: array<vec2f>;
@group(0) @binding(2) var<storage, read_write> view: array<f32>;
@group(0) @binding(3) var<storage, read> scale: array<f32>;
@group(0) @binding(4) var<uniform> params: Params;

var<workgroup> sums: array<vec4f, 256>;
// How many channels fail, and how many pass.
var<workgroup> counts: array<vec2u, 256>;

fn invariant(sum: vec4f, bound: f32) -> bool {
  return abs(sum.z) / (max(sqrt(sum.y), params.epsilon) * max(sqrt(sum.x), params.epsilon)) < bound;
}

fn along(sum: vec4f) -> f32 {
  let length = sqrt(sum.x) + params.epsilon;
  return sum.w / length / length;
}

@compute @workgroup_size(256)
fn main(@builtin(local_invocation_index) local: u32) {
  var total = vec4f();
  var count = vec2u();
  for (var channel = local; channel < params.channels; channel += 256) {
    var sum = vec4f();
    for (var block = 0u; block < params.blocks; block++) {
      sum += partials[block * params.channels + channel];
    }
    partials[channel] = sum;
    total += sum;
    let passes = invariant(sum, params.row_bound);
    count += vec2u(select(1u, 0u, passes), select(0u, 1u, passes));
  }
  sums[local] = total;
  counts[local] = count;
  for (var half = 128u; half > 0; half /= 2) {
    workgroupBarrier();
    if (local < half) {
      sums[local] += sums[local + half];
      counts[local] += counts[local + half];
    }
  }
  workgroupBarrier();
  let all = counts[0].x == 0;
  let whole = params.by_row == 0 && !all && invariant(sums[0], params.whole_bound);
  for (var channel = local; channel < params.channels; channel += 256) {
    let sum = partials[channel];
    let passes = select(all, invariant(sum, params.row_bound), params.by_row != 0);
    let taken = select(select(0f, along(sums[0]), whole), along(sum), passes);
    let ratio = select(1f, params.wd_ratio, passes || whole);
    factors[channel] = vec2f(1 - params.decay * ratio + params.rate * taken, taken);
  }
  if (local == 0) {
    factors[params.channels] = vec2f(scale_of(), 0);
    let rows = select(all, counts[0].y > 0, params.by_row != 0);
    view[0] = select(select(select(0f, 1f, rows), 2f, whole), 0f, !is_finite(scale_of()));
  }
}
