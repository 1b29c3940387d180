// dgamma = sum over rows of dy x r, a thread a column.
struct Params { rows: u32, width: u32 }

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> dy: array<f32>;
@group(0) @binding(2) var<storage, read> scales: array<f32>;
@group(0) @binding(3) var<storage, read_write> dgamma: array<f32>;
@group(0) @binding(4) var<uniform> params: Params;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= params.width) {
    return;
  }
  var sum = 0f;
  for (var row = 0u; row < params.rows; row++) {
    let at = row * params.width + id.x;
    sum += dy[at] * x[at] * scales[row];
  }
  dgamma[id.x] = sum;
}
