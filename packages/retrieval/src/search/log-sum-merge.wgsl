// The chunks of an item's bank, put together.
struct Params { n: u32, chunks: u32 }

@group(0) @binding(0) var<storage, read_write> parts: array<vec2f>;
@group(0) @binding(1) var<storage, read_write> largest: array<f32>;
@group(0) @binding(2) var<storage, read_write> sum: array<f32>;
@group(0) @binding(3) var<uniform> params: Params;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) w: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) thread: u32) {
  let item = (w.x + w.y * groups.x) * 64u + thread;
  if (item >= params.n) {
    return;
  }
  var both = parts[item];
  for (var chunk = 1u; chunk < params.chunks; chunk++) {
    let part = parts[chunk * params.n + item];
    let most = max(both.x, part.x);
    both = vec2f(most, both.y * exp(both.x - most) + part.y * exp(part.x - most));
  }
  largest[item] = both.x;
  sum[item] = both.y;
}
