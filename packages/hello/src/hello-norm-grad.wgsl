// dx = r (g - xhat mean(g xhat)) with g = dy gamma, a workgroup a row.
struct Params { rows: u32, width: u32, epsilon: f32 }

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> gamma: array<f32>;
@group(0) @binding(2) var<storage, read> dy: array<f32>;
@group(0) @binding(3) var<storage, read_write> dx: array<f32>;
// [rows], for dgamma
@group(0) @binding(4) var<storage, read_write> scales: array<f32>;
@group(0) @binding(5) var<uniform> params: Params;

const THREADS = 64u;
var<workgroup> sums: array<vec2f, THREADS>;

/** The sum of `value` over the workgroup. */
fn total(value: vec2f, thread: u32) -> vec2f {
  sums[thread] = value;
  for (var half = THREADS / 2; half > 0; half /= 2) {
    workgroupBarrier();
    if (thread < half) {
      sums[thread] += sums[thread + half];
    }
  }
  workgroupBarrier();
  return sums[0];
}

@compute @workgroup_size(THREADS)
fn main(
  @builtin(workgroup_id) w: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let row = w.x + w.y * groups.x;
  let width = select(0u, params.width, row < params.rows);
  let start = row * params.width;
  var products = vec2f();
  for (var i = thread; i < width; i += THREADS) {
    let value = x[start + i];
    products += vec2f(value, dy[start + i] * gamma[i]) * value;
  }
  let means = total(products, thread) / f32(params.width);
  let r = inverseSqrt(means.x + params.epsilon);
  let slope = means.y * r * r;
  for (var i = thread; i < width; i += THREADS) {
    dx[start + i] = r * (dy[start + i] * gamma[i] - x[start + i] * slope);
  }
  if (thread == 0 && row < params.rows) {
    scales[row] = r;
  }
}
