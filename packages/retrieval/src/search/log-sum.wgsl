// Largest and sum of exp(score - largest) of each item over a chunk of the bank, one invocation each: no barriers, and neighbours read the
// same rows of the bank.
struct Params { b: u32, n: u32, depth: u32, words: u32, chunk: u32, chunks: u32, shifted: u32, excluded: u32, scale: f32 }

// Replaced by a variant: int8 codes, four a word.
alias Item = f32;
const CODED = false;

@group(0) @binding(0) var<storage, read> bank: array<f32>;
@group(0) @binding(1) var<storage, read> items: array<Item>;
@group(0) @binding(2) var<storage, read> scales: array<f32>;
@group(0) @binding(3) var<storage, read> offsets: array<f32>;
@group(0) @binding(4) var<storage, read> exclude: array<i32>;
@group(0) @binding(5) var<storage, read_write> parts: array<vec2f>;
@group(0) @binding(6) var<uniform> params: Params;

/** What a row adds to the item that it is itself. */
const NOTHING = -1e30f;

/** Products of an item with four rows of the bank; those beyond the last are taken again. */
fn products(item: u32, first: u32) -> vec4f {
  let rows = min(vec4u(first, first + 1u, first + 2u, first + 3u), vec4u(params.b - 1u)) * params.depth;
  let start = item * params.words;
  var sums = vec4f(0);
  if (CODED) {
    for (var word = 0u; word < params.words; word++) {
      let codes = i32(items[start + word]);
      let count = min(4u, params.depth - word * 4u);
      for (var byte = 0u; byte < count; byte++) {
        let i = word * 4u + byte;
        sums += f32(extractBits(codes, byte * 8u, 8u)) * vec4f(bank[rows.x + i], bank[rows.y + i], bank[rows.z + i], bank[rows.w + i]);
      }
    }
    sums *= scales[item];
  } else {
    for (var i = 0u; i < params.depth; i++) {
      sums += f32(items[start + i]) * vec4f(bank[rows.x + i], bank[rows.y + i], bank[rows.z + i], bank[rows.w + i]);
    }
  }
  return sums;
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) w: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) thread: u32) {
  let at = (w.x + w.y * groups.x) * 64u + thread;
  if (at >= params.n * params.chunks) {
    return;
  }
  let item = at % params.n;
  let chunk = at / params.n;
  let begin = chunk * params.chunk;
  let end = min(begin + params.chunk, params.b);
  var most = NOTHING;
  var total = 0f;
  for (var first = begin; first < end; first += 4u) {
    let scores = products(item, first) * params.scale;
    for (var lane = 0u; lane < min(4u, end - first); lane++) {
      let row = first + lane;
      var score = scores[lane];
      if (params.shifted != 0u) {
        score -= offsets[row];
      }
      if (params.excluded != 0u && exclude[row] == i32(item)) {
        score = NOTHING;
      }
      if (score > most) {
        total = total * exp(most - score) + 1;
        most = score;
      } else {
        total += exp(score - most);
      }
    }
  }
  parts[at] = vec2f(most, total);
}
