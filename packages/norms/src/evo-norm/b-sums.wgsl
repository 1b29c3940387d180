// Sums over a block of rows of one sample: dy, dy z, and with e = -dy z / max(L, R) that of e where it is L's, of e where it is R's, and of
// e x there.
struct Params {
  rows: u32, width: u32, rows_per_block: u32, blocks: u32, positions: u32, parts: u32, epsilon: f32, variant: u32, has_v: u32,
}

@group(0) @binding(0) var<storage, read> x: array<Item>;
@group(0) @binding(1) var<storage, read> dy: array<Item>;
@group(0) @binding(2) var<storage, read> variance: array<Item>;
@group(0) @binding(3) var<storage, read> v: array<Item>;
// [samples, 3, width], as b-own.wgsl has it
@group(0) @binding(4) var<storage, read> own: array<Item>;
// [samples, parts, 5, width]
@group(0) @binding(5) var<storage, read_write> partials: array<Item>;
@group(0) @binding(6) var<uniform> params: Params;

fn work(block: u32, column: u32, ignored_first: u32, ignored_end: u32) {
  let sample = block / params.parts;
  let start = sample * params.positions;
  let first = start + block % params.parts * params.rows_per_block;
  let end = min(first + params.rows_per_block, start + params.positions);
  let root = own[(3 * sample + 1) * params.width + column];
  let slope = slope_of(column, root);
  let left = sqrt(variance[column] + params.epsilon);
  let r = 1 / left;
  var of_dy = Item();
  var of_product = Item();
  var of_left = Item();
  var of_right = Item();
  var of_x = Item();
  for (var row = first; row < end; row++) {
    let at = row * params.width + column;
    let value = x[at];
    let d = dy[at];
    let right = slope * value + root;
    let is_left = left >= right;
    let inverse = r / select(right * r, Item(1), is_left);
    let product = d * (value * inverse);
    let e = -product * inverse;
    let on_left = e * select(Item(0), Item(1), is_left);
    let on_right = e - on_left;
    of_dy += d;
    of_product += product;
    of_left += on_left;
    of_right += on_right;
    of_x += on_right * value;
  }
  let part = 5 * block * params.width + column;
  partials[part] = of_dy;
  partials[part + params.width] = of_product;
  partials[part + 2 * params.width] = of_left;
  partials[part + 3 * params.width] = of_right;
  partials[part + 4 * params.width] = of_x;
}
