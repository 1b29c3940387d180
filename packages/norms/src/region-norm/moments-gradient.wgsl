// dx = dmean / n + 2 dvariance (x - mean) / n of a pixel's region; 0 without one.
struct Params { rows: u32, width: u32, rows_per_block: u32, blocks: u32, positions: u32, regions: u32 }

@group(0) @binding(0) var<storage, read> x: array<Item>;
@group(0) @binding(1) var<storage, read> labels: array<i32>;
// [sets, regions, 3, width], both
@group(0) @binding(2) var<storage, read> statistics: array<Item>;
@group(0) @binding(3) var<storage, read> dstatistics: array<Item>;
@group(0) @binding(4) var<storage, read_write> y: array<Item>;
@group(0) @binding(5) var<uniform> params: Params;

fn work(block: u32, column: u32, first: u32, end: u32) {
  for (var row = first; row < end; row++) {
    let at = row * params.width + column;
    let label = labels[row];
    if (label < 0 || label >= i32(params.regions)) {
      y[at] = Item();
      continue;
    }
    let own = (row / params.positions * params.regions + u32(label)) * 3 * params.width + column;
    let centred = x[at] - statistics[own + params.width];
    let through = dstatistics[own + params.width] + 2 * dstatistics[own + 2 * params.width] * centred;
    y[at] = through / max(statistics[own], Item(1));
  }
}
