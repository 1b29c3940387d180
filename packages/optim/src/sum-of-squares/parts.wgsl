// Parts of the sum: workgroups take chunks in turns.
struct Params { size: u32 }

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> partials: array<f32>;
@group(0) @binding(2) var<uniform> params: Params;

var<workgroup> sums: array<f32, 256>;

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(num_workgroups) workgroups: vec3u, @builtin(local_invocation_index) local: u32) {
  let group = workgroup.x;
  var sum = 0f;
  for (var i = group * 256 + local; i < params.size; i += workgroups.x * 256) {
    sum += x[i] * x[i];
  }
  sums[local] = sum;
  for (var half = 128u; half > 0; half /= 2) {
    workgroupBarrier();
    if (local < half) {
      sums[local] += sums[local + half];
    }
  }
  if (local == 0) {
    partials[group] = sums[0];
  }
}
