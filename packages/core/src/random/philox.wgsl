// Philox4x32-10, as in philox.ts. Shaders of other packages may begin with this text.

// Lower and upper word of the product of two words; WGSL has no 64-bit integers.
fn philoxMultiply(a: u32, b: u32) -> vec2u {
  let low = (a & 0xffffu) * (b & 0xffffu);
  let middle = (a >> 16u) * (b & 0xffffu) + (low >> 16u);
  let other = (a & 0xffffu) * (b >> 16u) + (middle & 0xffffu);
  return vec2u(a * b, (a >> 16u) * (b >> 16u) + (middle >> 16u) + (other >> 16u));
}

fn philox(counter: vec4u, key: vec2u) -> vec4u {
  var c = counter;
  var k = key;
  for (var round = 0u; round < 10u; round++) {
    let first = philoxMultiply(c.x, 0xd2511f53u);
    let second = philoxMultiply(c.z, 0xcd9e8d57u);
    c = vec4u(second.y ^ c.y ^ k.x, second.x, first.y ^ c.w ^ k.y, first.x);
    k += vec2u(0x9e3779b9u, 0xbb67ae85u);
  }
  return c;
}

// Block `block` after `offset` (lower and upper word) of what is drawn: four words for four numbers.
fn philoxDraw(offset: vec2u, block: u32, key: vec2u) -> vec4u {
  let low = offset.x + block;
  return philox(vec4u(low, offset.y + select(0u, 1u, low < block), 0u, 0u), key);
}

// Numbers of [0, 1) of words.
fn philoxUniform(words: vec4u) -> vec4f {
  return vec4f(words >> vec4u(8u)) * 5.9604644775390625e-8;
}
