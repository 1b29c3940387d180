// A subgroup works on `columns` columns, no more than the smallest subgroup has threads; those of its threads that share a column are the
// column's lanes. They sum without barriers.
override threads: u32 = 64;
override columns: u32 = 8;

@compute @workgroup_size(threads)
fn main(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) local: u32,
  @builtin(subgroup_invocation_id) thread: u32,
  @builtin(subgroup_size) size: u32,
) {
  let team = (workgroup.x + workgroup.y * workgroups.x) * (threads / size) + local / size;
  let tiles = (params.width + columns - 1) / columns;
  work(team / tiles, (team % tiles) * columns + thread % columns, thread / columns, size / columns);
}

fn total(value: Item, lanes: u32) -> Item {
  var sum = value;
  // All masks there can be, so that control flow is uniform; what comes from beyond the subgroup is not used.
  for (var mask = 1u; mask < 128; mask *= 2) {
    let other = subgroupShuffleXor(sum, mask);
    if (mask >= columns && mask < columns * lanes) {
      sum += other;
    }
  }
  return sum;
}
