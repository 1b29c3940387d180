// y = gamma x / sqrt(mean(x^2) + epsilon), a workgroup a row.
struct Params { rows: u32, width: u32, epsilon: f32 }

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> gamma: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
@group(0) @binding(3) var<uniform> params: Params;

const THREADS = 64u;
var<workgroup> sums: array<f32, THREADS>;

/** The sum of `value` over the workgroup. */
fn total(value: f32, thread: u32) -> f32 {
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
  // More rows than one dimension has workgroups are spread over two, and some workgroups then have none.
  let row = w.x + w.y * groups.x;
  let width = select(0u, params.width, row < params.rows);
  let start = row * params.width;
  var squares = 0f;
  for (var i = thread; i < width; i += THREADS) {
    squares += x[start + i] * x[start + i];
  }
  let r = inverseSqrt(total(squares, thread) / f32(params.width) + params.epsilon);
  for (var i = thread; i < width; i += THREADS) {
    y[start + i] = x[start + i] * r * gamma[i];
  }
}
