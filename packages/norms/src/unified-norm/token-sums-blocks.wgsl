// Sums of dy x and dy over a block of tokens.
struct Params { rows: u32, width: u32, rows_per_block: u32, blocks: u32 }

@group(0) @binding(0) var<storage, read> x: array<Item>;
@group(0) @binding(1) var<storage, read> dy: array<Item>;
// [blocks, 2, width]
@group(0) @binding(2) var<storage, read_write> partials: array<Item>;
@group(0) @binding(3) var<uniform> params: Params;

fn work(block: u32, column: u32, first: u32, end: u32) {
  var of_product = Item();
  var of_dy = Item();
  for (var row = first; row < end; row++) {
    let at = row * params.width + column;
    let d = dy[at];
    of_product += d * x[at];
    of_dy += d;
  }
  partials[2 * block * params.width + column] = of_product;
  partials[(2 * block + 1) * params.width + column] = of_dy;
}
