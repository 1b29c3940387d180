// The sum of the parts, in one workgroup.
struct Params { size: u32 }

@group(0) @binding(0) var<storage, read> partials: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
@group(0) @binding(2) var<uniform> params: Params;

var<workgroup> sums: array<f32, 256>;

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(num_workgroups) workgroups: vec3u, @builtin(local_invocation_index) local: u32) {
  var sum = 0f;
  for (var i = local; i < params.size; i += 256u) {
    sum += partials[i];
  }
  sums[local] = sum;
  for (var half = 128u; half > 0; half /= 2) {
    workgroupBarrier();
    if (local < half) {
      sums[local] += sums[local + half];
    }
  }
  if (local == 0) {
    y[0] = sums[0];
  }
}
