// dv = dy (a / b) / (1 + u^2) with u = v / b, and a workgroup's sums of dy atan(u) and of dy u / (1 + u^2).
struct Params { count: u32, per_block: u32 }

@group(0) @binding(0) var<storage, read> v: array<f32>;
@group(0) @binding(1) var<storage, read> a: array<f32>;
@group(0) @binding(2) var<storage, read> b: array<f32>;
@group(0) @binding(3) var<storage, read> dy: array<f32>;
@group(0) @binding(4) var<storage, read_write> dv: array<f32>;
// [blocks, 2]
@group(0) @binding(5) var<storage, read_write> partials: array<vec2f>;
@group(0) @binding(6) var<uniform> params: Params;

const THREADS = 128u;
var<workgroup> sums: array<vec2f, THREADS>;

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) local: u32) {
  let first = workgroup.x * params.per_block;
  let end = min(first + params.per_block, params.count);
  let ratio = a[0] / b[0];
  var sum = vec2f();
  for (var i = first + local; i < end; i += THREADS) {
    let u = v[i] / b[0];
    let t = reduced(abs(u));
    let r = 1 / (1 + t * t);
    dv[i] = dy[i] * ratio * select(r, t * t * r, abs(u) > 1);
    sum += dy[i] * vec2f(angle(u, t), select(t * r, -t * r, u < 0));
  }
  sums[local] = sum;
  workgroupBarrier();
  for (var half = THREADS / 2; half > 0; half /= 2) {
    if (local < half) {
      sums[local] += sums[local + half];
    }
    workgroupBarrier();
  }
  if (local == 0) {
    partials[workgroup.x] = sums[0];
  }
}
