// The k best items of each query, of scale * (query . item) - offset: one invocation scans a chunk of the items for one query. Its list is
// private, so that there are no barriers; neighbours share the items that they read.
struct Params { q: u32, n: u32, depth: u32, words: u32, k: u32, chunk: u32, chunks: u32, shifted: u32, scale: f32 }

// Replaced by variants: int8 codes, four a word, and longer lists.
alias Item = f32;
const CODED = false;
const LENGTH = 16u;

@group(0) @binding(0) var<storage, read> queries: array<f32>;
@group(0) @binding(1) var<storage, read> items: array<Item>;
@group(0) @binding(2) var<storage, read> scales: array<f32>;
@group(0) @binding(3) var<storage, read> offsets: array<f32>;
@group(0) @binding(4) var<storage, read_write> lists: array<f32>;
@group(0) @binding(5) var<storage, read_write> found: array<i32>;
@group(0) @binding(6) var<uniform> params: Params;

const LEAST = -3.4028234e38f;

/** Products of a query with four items; those beyond the last are taken again. */
fn products(query: u32, first: u32) -> vec4f {
  let items4 = min(vec4u(first, first + 1u, first + 2u, first + 3u), vec4u(params.n - 1u));
  let rows = items4 * params.words;
  let start = query * params.depth;
  var sums = vec4f(0);
  if (CODED) {
    for (var word = 0u; word < params.words; word++) {
      let codes = vec4i(i32(items[rows.x + word]), i32(items[rows.y + word]), i32(items[rows.z + word]), i32(items[rows.w + word]));
      let count = min(4u, params.depth - word * 4u);
      for (var byte = 0u; byte < count; byte++) {
        sums += queries[start + word * 4u + byte] * vec4f(extractBits(codes, byte * 8u, 8u));
      }
    }
    sums *= vec4f(scales[items4.x], scales[items4.y], scales[items4.z], scales[items4.w]);
  } else {
    for (var i = 0u; i < params.depth; i++) {
      sums += queries[start + i] * vec4f(f32(items[rows.x + i]), f32(items[rows.y + i]), f32(items[rows.z + i]), f32(items[rows.w + i]));
    }
  }
  return sums;
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) w: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) thread: u32) {
  let at = (w.x + w.y * groups.x) * 64u + thread;
  if (at >= params.q * params.chunks) {
    return;
  }
  let query = at % params.q;
  let chunk = at / params.q;
  let k = params.k;
  var values: array<f32, LENGTH>;
  var indices: array<i32, LENGTH>;
  for (var i = 0u; i < k; i++) {
    values[i] = LEAST;
    indices[i] = -1;
  }
  let end = min((chunk + 1u) * params.chunk, params.n);
  for (var first = chunk * params.chunk; first < end; first += 4u) {
    let scores = products(query, first) * params.scale;
    for (var lane = 0u; lane < min(4u, end - first); lane++) {
      let item = first + lane;
      var score = scores[lane];
      if (params.shifted != 0u) {
        score -= offsets[item];
      }
      if (!(score > values[k - 1u])) {
        continue;
      }
      var place = k - 1u;
      while (place > 0u && score > values[max(place, 1u) - 1u]) {
        values[place] = values[place - 1u];
        indices[place] = indices[place - 1u];
        place--;
      }
      values[place] = score;
      indices[place] = i32(item);
    }
  }
  let start = (query * params.chunks + chunk) * k;
  for (var i = 0u; i < k; i++) {
    lists[start + i] = values[i];
    found[start + i] = indices[i];
  }
}
