// Random words, uniform and normal numbers of a sequence: a thread makes a block of four. Follows the text of philox.wgsl.
// The normal numbers are by Box-Muller with series of our own, since WGSL's cos may be wrong by 2^-11.

struct Params { size: u32, offsetLow: u32, offsetHigh: u32, key0: u32, key1: u32 }

@group(0) @binding(0) var<storage, read_write> y: array<u32>;
@group(0) @binding(1) var<uniform> params: Params;

fn put(block: u32, words: vec4u) {
  for (var i = 0u; i < min(4u, params.size - 4u * block); i++) { y[4u * block + i] = words[i]; }
}

fn draw(block: u32) -> vec4u {
  return philoxDraw(vec2u(params.offsetLow, params.offsetHigh), block, vec2u(params.key0, params.key1));
}

fn blockOf(group: vec3u, groups: vec3u, local: u32) -> u32 {
  return (group.x + group.y * groups.x) * 64u + local;
}

@compute @workgroup_size(64)
fn bits(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) local: u32) {
  let block = blockOf(group, groups, local);
  if (4u * block < params.size) { put(block, draw(block)); }
}

@compute @workgroup_size(64)
fn uniformNumbers(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) local: u32) {
  let block = blockOf(group, groups, local);
  if (4u * block < params.size) { put(block, bitcast<vec4u>(philoxUniform(draw(block)))); }
}

fn logOf(a: u32) -> f32 {
  let leading = max(a & ~(0xffu >> min(countLeadingZeros(a), 31u)), 1u);
  let shifted = bitcast<u32>(f32(leading)) + (0x3f800000u - 0x3f3504f3u);
  let exponent = i32(shifted >> 23u) - 159;
  let mantissa = bitcast<f32>((shifted & 0x7fffffu) + 0x3f3504f3u);
  let s = (mantissa - 1.0) / (mantissa + 1.0);
  let z = s * s;
  let series = ((((1.0 / 9.0) * z + 1.0 / 7.0) * z + 1.0 / 5.0) * z + 1.0 / 3.0) * z + 1.0;
  return f32(exponent) * 0.6931471805599453 + 2.0 * s * series;
}

fn pair(a: u32, b: u32) -> vec2f {
  let radius = sqrt(-2.0 * logOf(a));
  let quarter = ((b + 0x20000000u) >> 30u) & 3u;
  let x = f32(bitcast<i32>(b - (quarter << 30u)) >> 5u) * 4.681337853654911e-8;
  let z = x * x;
  let sine = ((((1.0 / 362880.0) * z - 1.0 / 5040.0) * z + 1.0 / 120.0) * z - 1.0 / 6.0) * z * x + x;
  let cosine = ((((1.0 / 40320.0) * z - 1.0 / 720.0) * z + 1.0 / 24.0) * z - 0.5) * z + 1.0;
  let turned = select(vec2f(cosine, sine), vec2f(sine, cosine), (quarter & 1u) == 1u);
  let signs = vec2f(select(1.0, -1.0, quarter == 1u || quarter == 2u), select(1.0, -1.0, quarter >= 2u));
  return radius * turned * signs;
}

@compute @workgroup_size(64)
fn normalNumbers(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) local: u32) {
  let block = blockOf(group, groups, local);
  if (4u * block >= params.size) { return; }
  let words = draw(block);
  put(block, bitcast<vec4u>(vec4f(pair(words.x, words.y), pair(words.z, words.w))));
}
