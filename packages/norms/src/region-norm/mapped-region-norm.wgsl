// As region-norm.wgsl, with a gain and a shift for each pixel.
struct Params {
  rows: u32, width: u32, rows_per_block: u32, blocks: u32, sets: u32, regions: u32, epsilon: f32, official: u32,
}

@group(0) @binding(0) var<storage, read> x: array<Item>;
@group(0) @binding(1) var<storage, read> labels: array<i32>;
// Gain and shift.
@group(0) @binding(2) var<storage, read> affine: array<vec2f>;
// [sets, blocks, regions, 3, width]
@group(0) @binding(3) var<storage, read> partials: array<Item>;
@group(0) @binding(4) var<storage, read_write> y: array<Item>;
// [sets, regions, 3, width]
@group(0) @binding(5) var<storage, read_write> statistics: array<Item>;
@group(0) @binding(6) var<uniform> params: Params;

fn scale_of(moments: Moments) -> Item {
  let share = select(Item(1), Item(f32(params.rows)) / max(moments.count, Item(1)), params.official == 1);
  return inverseSqrt(moments.variance + params.epsilon * share);
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
    let scale_low = scale_of(low);
    let scale_high = scale_of(high);
    for (var row = first + lane; row < end; row += lanes) {
      let at = row * params.width + column;
      let label = labels[row];
      let own = affine[row];
      if (label == i32(region)) {
        y[at] = (x[at] - low.mean) * scale_low * (own.x + 1) + own.y;
      } else if (label == i32(other)) {
        y[at] = (x[at] - high.mean) * scale_high * (own.x + 1) + own.y;
      } else if (region == 0 && (label < 0 || label >= i32(params.regions))) {
        y[at] = Item(own.y);
      }
    }
  }
}
