// A thread works on one column of one block of rows: neighbours read neighbouring columns.
@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(num_workgroups) workgroups: vec3u, @builtin(local_invocation_index) local: u32) {
  let thread = (workgroup.x + workgroup.y * workgroups.x) * 64 + local;
  let block = thread / params.width;
  if (block < params.blocks) {
    let first = block * params.rows_per_block;
    work(block, thread % params.width, first, min(first + params.rows_per_block, params.rows));
  }
}
