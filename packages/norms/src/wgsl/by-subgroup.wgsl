// One team is one subgroup: it sums without barriers. Its size is known only here, so the plan starts teams enough for the largest.
override threads: u32 = 64;

@compute @workgroup_size(threads)
fn main(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) local: u32,
  @builtin(subgroup_invocation_id) lane: u32,
  @builtin(subgroup_size) lanes: u32,
) {
  work((workgroup.x + workgroup.y * workgroups.x) * (threads / lanes) + local / lanes, lane, lanes);
}

fn totals(values: vec4f, lane: u32) -> vec4f {
  return subgroupAdd(values);
}

fn total(value: f32, lane: u32) -> f32 {
  return subgroupAdd(value);
}
