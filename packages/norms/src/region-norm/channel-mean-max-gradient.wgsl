// dx = dmean / channels, and dmax on top at the row's first maximum, a thread a row.
struct Params { rows: u32, width: u32, channels: f32 }

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> dy: array<vec2f>;
@group(0) @binding(2) var<storage, read_write> dx: array<f32>;
@group(0) @binding(3) var<uniform> params: Params;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(num_workgroups) workgroups: vec3u, @builtin(local_invocation_index) local: u32) {
  let row = (workgroup.x + workgroup.y * workgroups.x) * 64 + local;
  if (row >= params.rows) {
    return;
  }
  let first = row * params.width;
  var place = first;
  var most = x[first];
  for (var at = first + 1; at < first + params.width; at++) {
    let value = x[at];
    if (value > most) {
      most = value;
      place = at;
    }
  }
  let share = dy[row].x / params.channels;
  for (var at = first; at < first + params.width; at++) {
    dx[at] = share + select(0f, dy[row].y, at == place);
  }
}
