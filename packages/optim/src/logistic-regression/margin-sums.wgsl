// Margins and the weighted sum of the samples of one block, a workgroup a block. The weights are kept divided by exp(-max(0, least
// margin)), and the sums are scaled anew when a lower margin comes, as in an online softmax.
struct Params { rows: u32, width: u32, rows_per_block: u32, misclassified_only: u32 }

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> y: array<f32>;
@group(0) @binding(2) var<storage, read> theta: array<f32>;
@group(0) @binding(3) var<storage, read_write> partials: array<f32>;
@group(0) @binding(4) var<storage, read_write> parts: array<f32>;
@group(0) @binding(5) var<uniform> params: Params;

const THREADS = 64u;
var<workgroup> sums: array<f32, THREADS>;

fn total(value: f32, lane: u32) -> f32 {
  sums[lane] = value;
  workgroupBarrier();
  for (var half = THREADS / 2; half > 0; half /= 2) {
    if (lane < half) {
      sums[lane] += sums[lane + half];
    }
    workgroupBarrier();
  }
  let result = sums[0];
  // Nobody may write the next sums before all have read these.
  workgroupBarrier();
  return result;
}

@compute @workgroup_size(THREADS)
fn main(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let block = workgroup.x + workgroup.y * workgroups.x;
  let first = min(block * params.rows_per_block, params.rows);
  let end = min(first + params.rows_per_block, params.rows);
  if (first == end) {
    return;
  }
  // A thread reads and writes its own columns of the block's part, and no others.
  let part = block * params.width;
  for (var i = lane; i < params.width; i += THREADS) {
    partials[part + i] = 0;
  }
  var least = 3.4e38;
  var low = 3.4e38;
  var weights = 0.0;
  var wrong = 0.0;
  var losses = 0.0;
  for (var row = first; row < end; row++) {
    let start = row * params.width;
    var products = 0.0;
    for (var i = lane; i < params.width; i += THREADS) {
      products += x[start + i] * theta[i];
    }
    let margin = y[row] * total(products, lane);
    var factor = 1.0;
    if (margin < least) {
      least = margin;
      let lower = max(0, margin);
      if (params.misclassified_only == 0) {
        factor = exp(lower - low);
      }
      low = lower;
    }
    weights *= factor;
    let e = exp(-abs(margin));
    losses += max(-margin, 0) + select(log(1 + e), e, e < 1e-4);
    let misses = select(0.0, 1.0, margin <= 0);
    wrong += misses;
    let weight = select(exp(low - max(margin, 0)) / (1 + e), misses, params.misclassified_only == 1);
    weights += weight;
    if (weight != 0 || factor != 1) {
      for (var i = lane; i < params.width; i += THREADS) {
        partials[part + i] = partials[part + i] * factor + weight * y[row] * x[start + i];
      }
    }
  }
  if (lane == 0) {
    parts[4 * block] = least;
    parts[4 * block + 1] = weights;
    parts[4 * block + 2] = wrong;
    parts[4 * block + 3] = losses;
  }
}
