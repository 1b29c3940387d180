// dx of a block of rows of one sample, and the block's part of dgamma and dbeta, a team a block. Rows come in chunks of 8: first the
// statistics of each, then, column by column, dx and the sums over the chunk's rows.
struct Params {
  rows: u32, width: u32, rows_per_block: u32, blocks_per_group: u32, rows_per_group: u32,
  has_gamma: u32, gamma_rows: u32, centre: u32, count: f32, epsilon: f32,
}

@group(0) @binding(0) var<storage, read> x: array<Item>;
@group(0) @binding(1) var<storage, read> dy: array<Item>;
@group(0) @binding(2) var<storage, read> gamma: array<Item>;
@group(0) @binding(3) var<storage, read_write> dx: array<Item>;
// [groups * blocks_per_group, 2, width]
@group(0) @binding(4) var<storage, read_write> partials: array<Item>;
@group(0) @binding(5) var<uniform> params: Params;

/** What xhat = (x - mean) scale and dx = (g - offset) r - xhat along need. */
struct Row { mean: f32, scale: f32, r: f32, offset: f32, along: f32 }

fn gamma_at(row: u32, column: u32) -> Item {
  if (params.has_gamma == 1) {
    return gamma[row / params.gamma_rows * params.width + column];
  }
  return Item(1);
}

fn statistics(row: u32, present: bool, lane: u32, lanes: u32) -> Row {
  let width = select(0u, params.width, present);
  let start = row * params.width;
  var mean = 0f;
  if (params.centre == 1) {
    var sum = Item();
    for (var i = lane; i < width; i += lanes) {
      sum += x[start + i];
    }
    mean = total(across(sum), lane) / params.count;
  }
  var squares = Item();
  var sum_g = Item();
  var sum_gx = Item();
  for (var i = lane; i < width; i += lanes) {
    let centred = x[start + i] - mean;
    let g = dy[start + i] * gamma_at(row, i);
    squares += centred * centred;
    sum_g += g;
    sum_gx += g * centred;
  }
  let means = totals(vec4f(across(squares), across(sum_g), across(sum_gx), 0), lane) / params.count;
  if (params.centre == 1) {
    let r = inverseSqrt(means.x + params.epsilon);
    return Row(mean, r, r, means.y, means.z * r * r);
  }
  let root = sqrt(means.x);
  let scale = 1 / (root + params.epsilon);
  if (root == 0) {
    return Row(0, scale, 0, 0, 0);
  }
  return Row(0, scale, scale, 0, means.z * scale / root);
}

fn work(block: u32, lane: u32, lanes: u32) {
  let group = block / params.blocks_per_group;
  let end = min((group + 1) * params.rows_per_group, params.rows);
  let first_row = group * params.rows_per_group + (block % params.blocks_per_group) * params.rows_per_block;
  let live = first_row < end;
  let width = select(0u, params.width, live);
  var of_row: array<Row, 8>;
  for (var chunk = 0u; chunk < params.rows_per_block; chunk += 8) {
    let first = first_row + chunk;
    let planned = min(8u, params.rows_per_block - chunk);
    for (var k = 0u; k < planned; k++) {
      of_row[k] = statistics(first + k, first + k < end, lane, lanes);
    }
    let present = select(0u, min(planned, end - first), first < end);
    for (var column = lane; column < width; column += lanes) {
      var dgamma = Item();
      var dbeta = Item();
      for (var k = 0u; k < present; k++) {
        let at = (first + k) * params.width + column;
        let row = of_row[k];
        let xhat = (x[at] - row.mean) * row.scale;
        let d = dy[at];
        dx[at] = (d * gamma_at(first + k, column) - row.offset) * row.r - xhat * row.along;
        dgamma += d * xhat;
        dbeta += d;
      }
      let gamma_part = 2 * block * params.width + column;
      let beta_part = gamma_part + params.width;
      if (chunk > 0) {
        dgamma += partials[gamma_part];
        dbeta += partials[beta_part];
      }
      partials[gamma_part] = dgamma;
      partials[beta_part] = dbeta;
    }
  }
}
