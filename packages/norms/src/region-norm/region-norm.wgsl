// Merges the blocks' moments and normalizes a block of pixels with them, two regions at a time.
struct Params {
  rows: u32, width: u32, rows_per_block: u32, blocks: u32, sets: u32, regions: u32, epsilon: f32, official: u32, has_gamma: u32, has_beta: u32,
}

@group(0) @binding(0) var<storage, read> x: array<Item>;
@group(0) @binding(1) var<storage, read> labels: array<i32>;
// [regions, width]
@group(0) @binding(2) var<storage, read> gamma: array<Item>;
@group(0) @binding(3) var<storage, read> beta: array<Item>;
// [sets, blocks, regions, 3, width]
@group(0) @binding(4) var<storage, read> partials: array<Item>;
@group(0) @binding(5) var<storage, read_write> y: array<Item>;
// [sets, regions, 3, width]
@group(0) @binding(6) var<storage, read_write> statistics: array<Item>;
@group(0) @binding(7) var<uniform> params: Params;

fn scale_of(moments: Moments, region: u32, column: u32) -> Item {
  let share = select(Item(1), Item(f32(params.rows)) / max(moments.count, Item(1)), params.official == 1);
  let r = inverseSqrt(moments.variance + params.epsilon * share);
  if (params.has_gamma == 1 && region < params.regions && column < params.width) {
    return r * gamma[region * params.width + column];
  }
  return r;
}

fn shift_of(region: u32, column: u32) -> Item {
  if (params.has_beta == 1 && region < params.regions && column < params.width) {
    return beta[region * params.width + column];
  }
  return Item();
}

fn work(block_of_all: u32, column: u32, lane: u32, lanes: u32) {
  let of_set = block_of_all / params.blocks;
  let block = block_of_all % params.blocks;
  let begin = block * params.rows_per_block;
  let live = column < params.width && of_set < params.sets;
  let first = of_set * params.rows + begin;
  let end = select(0u, first + min(params.rows_per_block, params.rows - begin), live);
  for (var region = 0u; region < params.regions; region += 2) {
    // Beyond the last region, where their number is odd, is the last one once more.
    let other = min(region + 1, params.regions - 1);
    let low = merged(of_set, region, column, lane, lanes, live);
    let high = merged(of_set, other, column, lane, lanes, live);
    if (live && block == 0 && lane == 0) {
      keep(of_set, region, column, low);
      keep(of_set, other, column, high);
    }
    let scale_low = scale_of(low, region, column);
    let scale_high = scale_of(high, other, column);
    let shift_low = shift_of(region, column);
    let shift_high = shift_of(other, column);
    for (var row = first + lane; row < end; row += lanes) {
      let at = row * params.width + column;
      let label = labels[row];
      if (label == i32(region)) {
        y[at] = (x[at] - low.mean) * scale_low + shift_low;
      } else if (label == i32(other)) {
        y[at] = (x[at] - high.mean) * scale_high + shift_high;
      } else if (region == 0 && (label < 0 || label >= i32(params.regions))) {
        y[at] = Item();
      }
    }
  }
}
