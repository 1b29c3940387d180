// dx = a dy + b sign(x - mean) + c, with coefficients for each channel.
struct Params { rows: u32, width: u32, rows_per_block: u32, blocks: u32 }

@group(0) @binding(0) var<storage, read> x: array<Item>;
@group(0) @binding(1) var<storage, read> dy: array<Item>;
@group(0) @binding(2) var<storage, read> mean: array<Item>;
// [3, width]
@group(0) @binding(3) var<storage, read> coefficients: array<Item>;
@group(0) @binding(4) var<storage, read_write> dx: array<Item>;
@group(0) @binding(5) var<uniform> params: Params;

fn work(block: u32, column: u32, first: u32, end: u32) {
  let mu = mean[column];
  let a = coefficients[column];
  let b = coefficients[params.width + column];
  let c = coefficients[2 * params.width + column];
  for (var row = first; row < end; row++) {
    let at = row * params.width + column;
    dx[at] = a * dy[at] + (b * sign(x[at] - mu) + c);
  }
}
