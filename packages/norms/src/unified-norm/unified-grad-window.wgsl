// The window of a backward pass, a thread a channel.
struct Params {
  channels: u32, size: u32, slot: u32, epsilon: f32, momentum: f32, smooth_window: u32, alone: u32, count: f32, has_gamma: u32,
}

@group(0) @binding(0) var<storage, read> products: array<f32>;
@group(0) @binding(1) var<storage, read> square: array<f32>;
@group(0) @binding(2) var<storage, read> factor: array<f32>;
@group(0) @binding(3) var<storage, read> skip: array<f32>;
@group(0) @binding(4) var<storage, read> emaGz: array<f32>;
// [size, channels]
@group(0) @binding(5) var<storage, read> gradients: array<f32>;
@group(0) @binding(6) var<storage, read> gamma: array<f32>;
@group(0) @binding(7) var<storage, read_write> scale: array<f32>;
@group(0) @binding(8) var<storage, read_write> slope: array<f32>;
@group(0) @binding(9) var<storage, read_write> dgamma: array<f32>;
@group(0) @binding(10) var<storage, read_write> nextEmaGz: array<f32>;
@group(0) @binding(11) var<storage, read_write> nextGradients: array<f32>;
@group(0) @binding(12) var<uniform> params: Params;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(num_workgroups) workgroups: vec3u, @builtin(local_invocation_index) local: u32) {
  let channel = (workgroup.x + workgroup.y * workgroups.x) * 64 + local;
  if (channel >= params.channels) {
    return;
  }
  let skipped = params.alone == 1 || skip[0] > 0;
  let r = inverseSqrt(square[channel] + params.epsilon);
  let upstream = r * factor[channel];
  let product = products[channel] * upstream;
  var weight = 1f;
  if (params.has_gamma == 1) {
    weight = gamma[channel];
  }
  let gz = product * weight / params.count;
  let before = emaGz[channel];
  var sum = 0f;
  for (var row = 0u; row < params.size; row++) {
    var value = gradients[row * params.channels + channel];
    if (row == params.slot) {
      value = select(gz, before, skipped);
    }
    nextGradients[row * params.channels + channel] = value;
    sum += value;
  }
  var smoothed = gz;
  if (params.smooth_window == 1 && !skipped) {
    smoothed = sum / f32(params.size);
  }
  let next = before * params.momentum + smoothed * (1 - params.momentum);
  scale[channel] = upstream * weight;
  slope[channel] = -select(next, smoothed, skipped) * r * r;
  dgamma[channel] = product;
  nextEmaGz[channel] = next;
}
