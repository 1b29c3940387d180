// dx = r (g - mean(g) - xhat mean(g xhat)) with g = dy gamma, and sums of dy xhat and dy over a block of rows; behind an activation with
// dy times its slope for dy.
struct Params {
  rows: u32, width: u32, rows_per_block: u32, blocks: u32, positions: u32, groups: u32, group_width: u32, has_gamma: u32, has_beta: u32,
  activation: u32,
}

@group(0) @binding(0) var<storage, read> x: array<Item>;
@group(0) @binding(1) var<storage, read> dy: array<Item>;
@group(0) @binding(2) var<storage, read> gamma: array<Item>;
@group(0) @binding(3) var<storage, read> beta: array<Item>;
// [samples, groups, 4], as group-norm-statistics.wgsl has it
@group(0) @binding(4) var<storage, read> statistics: array<vec4f>;
@group(0) @binding(5) var<storage, read_write> dx: array<Item>;
// [blocks, 2, width]
@group(0) @binding(6) var<storage, read_write> partials: array<Item>;
@group(0) @binding(7) var<uniform> params: Params;

fn work(block: u32, column: u32, first: u32, end: u32) {
  let group = column / params.group_width;
  var scale = Item(1);
  if (params.has_gamma == 1) {
    scale = gamma[column];
  }
  var shift = Item();
  if (params.has_beta == 1) {
    shift = beta[column];
  }
  var dgamma = Item();
  var dbeta = Item();
  for (var row = first; row < end; row++) {
    let of_group = statistics[row / params.positions * params.groups + group];
    let at = row * params.width + column;
    let xhat = (x[at] - of_group.x) * of_group.y;
    let d = deactivate(xhat * scale + shift, dy[at], params.activation);
    dx[at] = (d * scale - of_group.z - xhat * of_group.w) * of_group.y;
    dgamma += d * xhat;
    dbeta += d;
  }
  partials[2 * block * params.width + column] = dgamma;
  partials[(2 * block + 1) * params.width + column] = dbeta;
}
