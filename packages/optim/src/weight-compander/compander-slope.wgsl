// dv = dy (a / b) / (1 + u^2) with u = v / b, a weight a thread.
struct Params { count: u32 }

@group(0) @binding(0) var<storage, read> v: array<f32>;
@group(0) @binding(1) var<storage, read> a: array<f32>;
@group(0) @binding(2) var<storage, read> b: array<f32>;
@group(0) @binding(3) var<storage, read> dy: array<f32>;
@group(0) @binding(4) var<storage, read_write> y: array<f32>;
@group(0) @binding(5) var<uniform> params: Params;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(num_workgroups) workgroups: vec3u, @builtin(local_invocation_index) local: u32) {
  let i = (workgroup.x + workgroup.y * workgroups.x) * 64 + local;
  if (i < params.count) {
    let magnitude = abs(v[i] / b[0]);
    let t = reduced(magnitude);
    let r = 1 / (1 + t * t);
    y[i] = dy[i] * (a[0] / b[0]) * select(r, t * t * r, magnitude > 1);
  }
}
