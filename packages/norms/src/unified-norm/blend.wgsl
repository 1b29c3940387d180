// y = dy scale + x slope
struct Params { rows: u32, width: u32, rows_per_block: u32, blocks: u32 }

@group(0) @binding(0) var<storage, read> x: array<Item>;
@group(0) @binding(1) var<storage, read> dy: array<Item>;
@group(0) @binding(2) var<storage, read> scale: array<Item>;
@group(0) @binding(3) var<storage, read> slope: array<Item>;
@group(0) @binding(4) var<storage, read_write> y: array<Item>;
@group(0) @binding(5) var<uniform> params: Params;

fn work(block: u32, column: u32, first: u32, end: u32) {
  let a = scale[column];
  let b = slope[column];
  for (var row = first; row < end; row++) {
    let at = row * params.width + column;
    y[at] = dy[at] * a + x[at] * b;
  }
}
