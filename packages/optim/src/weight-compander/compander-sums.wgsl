// da and db of the blocks' sums, by one thread: there are at most 256 of them.
struct Params { blocks: u32 }

@group(0) @binding(0) var<storage, read> a: array<f32>;
@group(0) @binding(1) var<storage, read> b: array<f32>;
@group(0) @binding(2) var<storage, read> partials: array<vec2f>;
@group(0) @binding(3) var<storage, read_write> da: array<f32>;
@group(0) @binding(4) var<storage, read_write> db: array<f32>;
@group(0) @binding(5) var<uniform> params: Params;

@compute @workgroup_size(1)
fn main() {
  var sum = vec2f();
  for (var block = 0u; block < params.blocks; block++) {
    sum += partials[block];
  }
  da[0] = sum.x;
  db[0] = -sum.y * (a[0] / b[0]);
}
