// A product of matrices whose sums lose nothing: each product is exact in two parts, each addition hands on what it rounded away.
struct Params { rows: u32, inner: u32, columns: u32 }
@group(0) @binding(0) var<storage, read> a: array<f32>;
@group(0) @binding(1) var<storage, read> b: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
@group(0) @binding(3) var<uniform> params: Params;

/** The upper half of the digits: the product of two such numbers is exact. */
fn upper(value: f32) -> f32 {
  return bitcast<f32>(bitcast<u32>(value) & 0xfffff000);
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) w: vec3u, @builtin(num_workgroups) n: vec3u, @builtin(local_invocation_index) local: u32) {
  let i = (w.x + w.y * n.x) * 64 + local;
  if (i >= params.rows * params.columns) { return; }
  let first = (i / params.columns) * params.inner;
  var sum = 0f;
  var rest = 0f;
  for (var k = 0u; k < params.inner; k++) {
    let p = a[first + k];
    let q = b[k * params.columns + i % params.columns];
    let high = upper(p) * upper(q);
    let next = sum + high;
    let taken = next - sum;
    rest += (sum - (next - taken)) + (high - taken) + ((p - upper(p)) * q + upper(p) * (q - upper(q)));
    sum = next;
  }
  y[i] = sum + rest;
}
