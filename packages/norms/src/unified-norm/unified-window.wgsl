// The window of a forward pass, by one workgroup: whether there is an outlier depends on all channels.
struct Params {
  channels: u32, size: u32, slot: u32, epsilon: f32, momentum: f32, smooth_window: u32, look: u32, by_channel: u32, rescale: u32,
  protect: u32,
}

@group(0) @binding(0) var<storage, read> meanSquare: array<f32>;
@group(0) @binding(1) var<storage, read> runningVar: array<f32>;
// [size, channels]
@group(0) @binding(2) var<storage, read> squares: array<f32>;
@group(0) @binding(3) var<storage, read_write> square: array<f32>;
@group(0) @binding(4) var<storage, read_write> factor: array<f32>;
@group(0) @binding(5) var<storage, read_write> nextRunningVar: array<f32>;
@group(0) @binding(6) var<storage, read_write> nextSquares: array<f32>;
@group(0) @binding(7) var<storage, read_write> skip: array<f32>;
@group(0) @binding(8) var<uniform> params: Params;

var<workgroup> sums: array<f32, 256>;

fn total(value: f32, lane: u32) -> f32 {
  workgroupBarrier();
  sums[lane] = value;
  workgroupBarrier();
  for (var half = 128u; half > 0; half /= 2) {
    if (lane < half) {
      sums[lane] += sums[lane + half];
    }
    workgroupBarrier();
  }
  return sums[0];
}

/** What stands in the window at this place, with the batch in its slot. */
fn filled(row: u32, channel: u32) -> f32 {
  if (row == params.slot) {
    return meanSquare[channel];
  }
  return squares[row * params.channels + channel];
}

fn geometric(channel: u32) -> f32 {
  var logs = 0f;
  for (var row = 0u; row < params.size; row++) {
    logs += log(max(filled(row, channel), 1e-30));
  }
  return exp(logs / f32(params.size));
}

/** Unbiased variance of the roots of a channel's window. */
fn variance_of(channel: u32) -> f32 {
  var mean = 0f;
  for (var row = 0u; row < params.size; row++) {
    mean += sqrt(squares[row * params.channels + channel]);
  }
  mean /= f32(params.size);
  var deviations = 0f;
  for (var row = 0u; row < params.size; row++) {
    let difference = sqrt(squares[row * params.channels + channel]) - mean;
    deviations += difference * difference;
  }
  return deviations / f32(params.size - 1);
}

@compute @workgroup_size(256)
fn main(@builtin(local_invocation_index) lane: u32) {
  var outliers = 0f;
  if (params.look == 1 && params.size > 1) {
    let count = params.size * params.channels;
    var tau = 0f;
    if (params.by_channel == 0) {
      var sum = 0f;
      for (var i = lane; i < count; i += 256) {
        sum += sqrt(squares[i]);
      }
      let mean = total(sum, lane) / f32(count);
      var deviations = 0f;
      for (var i = lane; i < count; i += 256) {
        let difference = sqrt(squares[i]) - mean;
        deviations += difference * difference;
      }
      tau = total(deviations, lane) / f32(count - 1);
    }
    for (var channel = lane; channel < params.channels; channel += 256) {
      var mean = 0f;
      for (var row = 0u; row < params.size; row++) {
        mean += filled(row, channel);
      }
      mean /= f32(params.size);
      var bound = tau;
      if (params.by_channel == 1) {
        bound = variance_of(channel);
      }
      if (mean - geometric(channel) > bound * f32(params.size)) {
        outliers += 1;
      }
    }
    outliers = total(outliers, lane);
  }
  let alone = outliers > 0 || params.size == 1;
  if (lane == 0) {
    skip[0] = select(0f, 1f, outliers > 0);
  }
  for (var channel = lane; channel < params.channels; channel += 256) {
    let running = runningVar[channel];
    let batch = meanSquare[channel];
    var chosen = batch;
    if (params.smooth_window == 1 && !alone) {
      chosen = geometric(channel);
    }
    square[channel] = chosen;
    var ratio = 1f;
    if (params.rescale == 1 && !alone) {
      ratio = clamp(sqrt((chosen + params.epsilon) / (running + params.epsilon)), 0.2, 5);
    }
    factor[channel] = ratio;
    var entering = chosen;
    if (params.protect == 1 && outliers > 0) {
      entering = min(max(batch, running * 0.25), running * 4);
    }
    nextRunningVar[channel] = running * params.momentum + entering * (1 - params.momentum);
    for (var row = 0u; row < params.size; row++) {
      var value = filled(row, channel);
      if (row == params.slot && outliers > 0) {
        value = running;
      }
      nextSquares[row * params.channels + channel] = value;
    }
  }
}
