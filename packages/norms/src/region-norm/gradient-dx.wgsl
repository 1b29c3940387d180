// dx = a dy + b (x - mean) + c, with coefficients for each region and channel; 0 without a region.
struct Params { rows: u32, width: u32, rows_per_block: u32, blocks: u32, positions: u32, regions: u32 }

@group(0) @binding(0) var<storage, read> x: array<Item>;
@group(0) @binding(1) var<storage, read> labels: array<i32>;
@group(0) @binding(2) var<storage, read> dy: array<Item>;
// [sets, regions, 3, width], both
@group(0) @binding(3) var<storage, read> statistics: array<Item>;
@group(0) @binding(4) var<storage, read> coefficients: array<Item>;
@group(0) @binding(5) var<storage, read_write> dx: array<Item>;
@group(0) @binding(6) var<uniform> params: Params;

fn work(block: u32, column: u32, first: u32, end: u32) {
  for (var row = first; row < end; row++) {
    let at = row * params.width + column;
    let label = labels[row];
    if (label < 0 || label >= i32(params.regions)) {
      dx[at] = Item();
      continue;
    }
    let own = (row / params.positions * params.regions + u32(label)) * 3 * params.width + column;
    let centred = x[at] - statistics[own + params.width];
    dx[at] = coefficients[own] * dy[at] + (coefficients[own + params.width] * centred + coefficients[own + 2 * params.width]);
  }
}
