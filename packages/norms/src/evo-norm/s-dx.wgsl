// dx = g s (1 + v x (1 - s)) r - (x - mean) mean(g z) r^2 with s = sigmoid(v x), and parts of dgamma, dbeta and dv over a block of rows.
struct Params {
  rows: u32, width: u32, rows_per_block: u32, blocks: u32, positions: u32, groups: u32, group_width: u32, has_gamma: u32, has_v: u32,
}

@group(0) @binding(0) var<storage, read> x: array<Item>;
@group(0) @binding(1) var<storage, read> dy: array<Item>;
@group(0) @binding(2) var<storage, read> gamma: array<Item>;
@group(0) @binding(3) var<storage, read> v: array<Item>;
// [samples, groups, 4], as s-statistics.wgsl has it
@group(0) @binding(4) var<storage, read> statistics: array<vec4f>;
@group(0) @binding(5) var<storage, read_write> dx: array<Item>;
// [blocks, 3, width]
@group(0) @binding(6) var<storage, read_write> partials: array<Item>;
@group(0) @binding(7) var<uniform> params: Params;

fn work(block: u32, column: u32, first: u32, end: u32) {
  let group = column / params.group_width;
  var scale = Item(1);
  if (params.has_gamma == 1) {
    scale = gamma[column];
  }
  var factor = Item(1);
  if (params.has_v == 1) {
    factor = v[column];
  }
  var dgamma = Item();
  var dbeta = Item();
  var dv = Item();
  for (var row = first; row < end; row++) {
    let of_group = statistics[row / params.positions * params.groups + group];
    let at = row * params.width + column;
    let value = x[at];
    let d = dy[at];
    let t = value * factor;
    let s = sigmoid(t);
    let z = value * s * of_group.y;
    dx[at] = d * scale * (s * (1 + t * (1 - s)) * of_group.y) + (value - of_group.x) * of_group.z;
    dgamma += d * z;
    dbeta += d;
    dv += d * scale * z * (value * (1 - s));
  }
  let part = 3 * block * params.width + column;
  partials[part] = dgamma;
  partials[part + params.width] = dbeta;
  partials[part + 2 * params.width] = dv;
}
