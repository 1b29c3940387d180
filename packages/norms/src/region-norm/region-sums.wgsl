// Count, mean and sum of squared differences from it, for each region of a block of a set's pixels: two regions a sweep, which a pixel's label
// chooses between. Chosen, not multiplied: NaN of one region does not reach another.
struct Params { rows: u32, width: u32, rows_per_block: u32, blocks: u32, sets: u32, regions: u32 }

@group(0) @binding(0) var<storage, read> x: array<Item>;
@group(0) @binding(1) var<storage, read> labels: array<i32>;
// [sets, blocks, regions, 3, width]
@group(0) @binding(2) var<storage, read_write> partials: array<Item>;
@group(0) @binding(3) var<uniform> params: Params;

fn work(block_of_all: u32, column: u32, lane: u32, lanes: u32) {
  let of_set = block_of_all / params.blocks;
  let begin = (block_of_all % params.blocks) * params.rows_per_block;
  let live = column < params.width && of_set < params.sets;
  let first = of_set * params.rows + begin;
  // Lanes beyond the last column or set read and write nothing, but take part in sums.
  let end = select(0u, first + min(params.rows_per_block, params.rows - begin), live);
  for (var region = 0u; region < params.regions; region += 2) {
    let low = i32(region);
    let high = low + 1;
    var sum_low = Item();
    var sum_high = Item();
    var counts_low = 0f;
    var counts_high = 0f;
    for (var row = first + lane; row < end; row += lanes) {
      let value = x[row * params.width + column];
      let label = labels[row];
      sum_low += select(Item(), value, label == low);
      sum_high += select(Item(), value, label == high);
      counts_low += select(0f, 1f, label == low);
      counts_high += select(0f, 1f, label == high);
    }
    let count_low = total(Item(counts_low), lanes);
    let count_high = total(Item(counts_high), lanes);
    let mean_low = total(sum_low, lanes) / max(count_low, Item(1));
    let mean_high = total(sum_high, lanes) / max(count_high, Item(1));
    var squares_low = Item();
    var squares_high = Item();
    for (var row = first + lane; row < end; row += lanes) {
      let value = x[row * params.width + column];
      let label = labels[row];
      let from_low = value - mean_low;
      let from_high = value - mean_high;
      squares_low += select(Item(), from_low * from_low, label == low);
      squares_high += select(Item(), from_high * from_high, label == high);
    }
    squares_low = total(squares_low, lanes);
    squares_high = total(squares_high, lanes);
    if (lane == 0 && live) {
      var at = (block_of_all * params.regions + region) * 3 * params.width + column;
      partials[at] = count_low;
      partials[at + params.width] = mean_low;
      partials[at + 2 * params.width] = squares_low;
      if (region + 1 < params.regions) {
        at += 3 * params.width;
        partials[at] = count_high;
        partials[at + params.width] = mean_high;
        partials[at + 2 * params.width] = squares_high;
      }
    }
  }
}
