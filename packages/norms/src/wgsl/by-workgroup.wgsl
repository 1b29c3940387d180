// One team is one workgroup, which sums in a tree: for devices without subgroups, and for few long sums.
override threads: u32 = 64;

var<workgroup> sums: array<vec4f, threads>;

@compute @workgroup_size(threads)
fn main(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  work(workgroup.x + workgroup.y * workgroups.x, lane, threads);
}

fn totals(values: vec4f, lane: u32) -> vec4f {
  sums[lane] = values;
  workgroupBarrier();
  for (var half = threads / 2; half > 0; half /= 2) {
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

fn total(value: f32, lane: u32) -> f32 {
  return totals(vec4f(value, 0, 0, 0), lane).x;
}
