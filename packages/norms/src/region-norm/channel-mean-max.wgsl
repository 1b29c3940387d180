// Mean and maximum of a row of channels, a thread a row.
struct Params { rows: u32, width: u32, channels: f32 }

@group(0) @binding(0) var<storage, read> x: array<Item>;
@group(0) @binding(1) var<storage, read_write> y: array<vec2f>;
@group(0) @binding(2) var<uniform> params: Params;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(num_workgroups) workgroups: vec3u, @builtin(local_invocation_index) local: u32) {
  let row = (workgroup.x + workgroup.y * workgroups.x) * 64 + local;
  if (row >= params.rows) {
    return;
  }
  let first = row * params.width;
  var most = x[first];
  var sum = most;
  for (var i = 1u; i < params.width; i++) {
    let value = x[first + i];
    sum += value;
    most = max(most, value);
  }
  let total = across(sum);
  // max() may lose a NaN; the sum does not. By its bits: compilers may take it that no number differs from itself.
  let is_nan = (bitcast<u32>(total) & 0x7fffffffu) > 0x7f800000u;
  y[row] = vec2f(total / params.channels, select(largest(most), total, is_nan));
}
