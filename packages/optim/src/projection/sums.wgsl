// Parts of the projection's sums: a thread adds up |w|^2, |g|^2, <g, w> and <w, u> of some elements of a channel. The shader before says
// `fn step_of(i: u32, g: f32) -> f32`, the step of element i.

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(num_workgroups) workgroups: vec3u, @builtin(local_invocation_index) local: u32) {
  let thread = (workgroup.x + workgroup.y * workgroups.x) * 64 + local;
  if (thread >= params.blocks * params.channels) {
    return;
  }
  // Neighbouring threads read neighbouring memory.
  let channels_last = params.inner == 1;
  let channel = select(thread / params.blocks, thread % params.channels, channels_last);
  let block = select(thread % params.blocks, thread / params.channels, channels_last);
  let s = scale_of();
  var total = vec4f();
  for (var p = block; p < params.outer * params.inner; p += params.blocks) {
    let i = ((p / params.inner) * params.channels + channel) * params.inner + p % params.inner;
    let w = value[i];
    let g = gradient[i] * s;
    let u = step_of(i, g);
    total += vec4f(w * w, g * g, g * w, w * u);
  }
  partials[block * params.channels + channel] = total;
}
