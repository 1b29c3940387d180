// Sums of g and of g (x - mean) for each region of a block of a set's pixels, with g = dy, or dy (1 + gain).
struct Params { rows: u32, width: u32, rows_per_block: u32, blocks: u32, positions: u32, blocks_of_set: u32, regions: u32, has_affine: u32 }

@group(0) @binding(0) var<storage, read> x: array<Item>;
@group(0) @binding(1) var<storage, read> labels: array<i32>;
@group(0) @binding(2) var<storage, read> dy: array<Item>;
@group(0) @binding(3) var<storage, read> affine: array<vec2f>;
@group(0) @binding(4) var<storage, read> statistics: array<Item>;
// [sets, blocks of a set, regions, 2, width]
@group(0) @binding(5) var<storage, read_write> partials: array<Item>;
@group(0) @binding(6) var<uniform> params: Params;

fn work(block: u32, column: u32, first_of_all: u32, end_of_all: u32) {
  let of_set = block / params.blocks_of_set;
  let begin = (block % params.blocks_of_set) * params.rows_per_block;
  let first = of_set * params.positions + begin;
  let end = first + min(params.rows_per_block, params.positions - begin);
  for (var region = 0u; region < params.regions; region += 2) {
    let low = i32(region);
    let high = low + 1;
    let other = min(region + 1, params.regions - 1);
    let mean_low = statistics[((of_set * params.regions + region) * 3 + 1) * params.width + column];
    let mean_high = statistics[((of_set * params.regions + other) * 3 + 1) * params.width + column];
    var sum_low = Item();
    var sum_high = Item();
    var product_low = Item();
    var product_high = Item();
    for (var row = first; row < end; row++) {
      let at = row * params.width + column;
      let label = labels[row];
      var g = dy[at];
      if (params.has_affine == 1) {
        g *= affine[row].x + 1;
      }
      sum_low += select(Item(), g, label == low);
      sum_high += select(Item(), g, label == high);
      product_low += select(Item(), g * (x[at] - mean_low), label == low);
      product_high += select(Item(), g * (x[at] - mean_high), label == high);
    }
    var to = (block * params.regions + region) * 2 * params.width + column;
    partials[to] = sum_low;
    partials[to + params.width] = product_low;
    if (region + 1 < params.regions) {
      to += 2 * params.width;
      partials[to] = sum_high;
      partials[to + params.width] = product_high;
    }
  }
}
