// A workgroup works on `columns` columns; those of its threads that share a column are the column's lanes. For devices without subgroups.
override threads: u32 = 256;
override columns: u32 = 16;

var<private> thread: u32;
var<workgroup> sums: array<Item, threads>;

@compute @workgroup_size(threads)
fn main(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  thread = local;
  let team = workgroup.x + workgroup.y * workgroups.x;
  let tiles = (params.width + columns - 1) / columns;
  work(team / tiles, (team % tiles) * columns + local % columns, local / columns, threads / columns);
}

fn total(value: Item, lanes: u32) -> Item {
  // Nobody may write these sums before all have read the last.
  workgroupBarrier();
  sums[thread] = value;
  workgroupBarrier();
  var sum = Item();
  for (var i = thread % columns; i < threads; i += columns) {
    sum += sums[i];
  }
  return sum;
}
