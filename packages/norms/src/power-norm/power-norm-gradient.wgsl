// dx of a block of tokens, and the block's sums of dy xs, dy, dxs xs over tokens that count, and their number.
struct Params {
  rows: u32, width: u32, rows_per_block: u32, blocks: u32, groups: u32, group_width: u32, epsilon: f32, alpha_backward: f32, has_gamma: u32,
  has_mask: u32,
}

@group(0) @binding(0) var<storage, read> x: array<Item>;
@group(0) @binding(1) var<storage, read> dy: array<Item>;
@group(0) @binding(2) var<storage, read> forwardPhi: array<Item>;
@group(0) @binding(3) var<storage, read> backwardPhi: array<Item>;
@group(0) @binding(4) var<storage, read> emaGz: array<Item>;
@group(0) @binding(5) var<storage, read> gamma: array<Item>;
@group(0) @binding(6) var<storage, read> mask: array<i32>;
// [rows, groups]
@group(0) @binding(7) var<storage, read> factors: array<vec2f>;
@group(0) @binding(8) var<storage, read_write> dx: array<Item>;
// [blocks, 4, width]
@group(0) @binding(9) var<storage, read_write> partials: array<Item>;
@group(0) @binding(10) var<uniform> params: Params;

fn work(block: u32, column: u32, first: u32, end: u32) {
  let r = inverseSqrt(backwardPhi[column] + params.epsilon);
  var a = r;
  if (params.has_gamma == 1) {
    a *= gamma[column];
  }
  let b = (1 - params.alpha_backward) * emaGz[column] * r * inverseSqrt(forwardPhi[column] + params.epsilon);
  var of_product = Item();
  var of_dy = Item();
  var of_step = Item();
  var count = 0f;
  for (var row = first; row < end; row++) {
    let at = row * params.width + column;
    let d = dy[at];
    var factor = vec2f(1, 0);
    if (params.groups > 0) {
      factor = factors[row * params.groups + column / params.group_width];
    }
    let xs = x[at] * factor.x;
    let dxs = d * a - xs * b;
    dx[at] = factor.x * (dxs - xs * factor.y);
    of_product += d * xs;
    of_dy += d;
    if (params.has_mask == 0 || mask[row] != 0) {
      of_step += dxs * xs;
      count += 1;
    }
  }
  let part = 4 * block * params.width + column;
  partials[part] = of_product;
  partials[part + params.width] = of_dy;
  partials[part + 2 * params.width] = of_step;
  partials[part + 3 * params.width] = Item(count);
}
