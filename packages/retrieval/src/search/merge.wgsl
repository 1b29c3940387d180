// Merges the sorted lists of a query's chunks. Earlier chunks hold lower indices, and win ties.
struct Params { q: u32, k: u32, chunks: u32, none: f32 }

const LENGTH = 16u;

@group(0) @binding(0) var<storage, read_write> lists: array<f32>;
@group(0) @binding(1) var<storage, read_write> found: array<i32>;
@group(0) @binding(2) var<storage, read_write> values: array<f32>;
@group(0) @binding(3) var<storage, read_write> indices: array<i32>;
@group(0) @binding(4) var<uniform> params: Params;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) w: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) thread: u32) {
  let query = (w.x + w.y * groups.x) * 64u + thread;
  if (query >= params.q) {
    return;
  }
  let k = params.k;
  var best: array<f32, LENGTH>;
  var items: array<i32, LENGTH>;
  let first = query * params.chunks * k;
  for (var i = 0u; i < k; i++) {
    best[i] = lists[first + i];
    items[i] = found[first + i];
  }
  for (var chunk = 1u; chunk < params.chunks; chunk++) {
    let start = first + chunk * k;
    for (var i = 0u; i < k; i++) {
      let score = lists[start + i];
      // The list is sorted: what comes after is no better.
      if (!(score > best[k - 1u])) {
        break;
      }
      var place = k - 1u;
      while (place > 0u && score > best[max(place, 1u) - 1u]) {
        best[place] = best[place - 1u];
        items[place] = items[place - 1u];
        place--;
      }
      best[place] = score;
      items[place] = found[start + i];
    }
  }
  for (var i = 0u; i < k; i++) {
    values[query * k + i] = select(best[i], params.none, items[i] < 0);
    indices[query * k + i] = items[i];
  }
}
