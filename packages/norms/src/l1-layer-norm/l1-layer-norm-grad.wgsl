// dx of a block of rows, and the block's part of dgamma and dbeta, a team a block. Rows come in chunks of 8: first the statistics of each,
// then, column by column, dx and the sums over the chunk's rows.
struct Params {
  rows: u32, width: u32, rows_per_block: u32, has_gamma: u32, count: f32, factor: f32, epsilon: f32, floor: f32,
}

@group(0) @binding(0) var<storage, read> x: array<Item>;
@group(0) @binding(1) var<storage, read> dy: array<Item>;
@group(0) @binding(2) var<storage, read> gamma: array<Item>;
@group(0) @binding(3) var<storage, read_write> dx: array<Item>;
// [blocks, 2, width]
@group(0) @binding(4) var<storage, read_write> partials: array<Item>;
@group(0) @binding(5) var<uniform> params: Params;

/** What dx = (dy gamma - sign(x - mean) slope + offset) r and xhat = (x - mean) scale need. */
struct Row { mean: f32, scale: f32, r: f32, slope: f32, offset: f32 }

fn gamma_at(column: u32) -> Item {
  if (params.has_gamma == 1) {
    return gamma[column];
  }
  return Item(1);
}

fn statistics(row: u32, lane: u32, lanes: u32) -> Row {
  let width = select(0u, params.width, row < params.rows);
  let start = row * params.width;
  var sum = Item();
  for (var i = lane; i < width; i += lanes) {
    sum += x[start + i];
  }
  let mean = total(across(sum), lane) / params.count;
  var deviations = Item();
  var sum_g = Item();
  var sum_gx = Item();
  var signs = Item();
  for (var i = lane; i < width; i += lanes) {
    let centred = x[start + i] - mean;
    let g = dy[start + i] * gamma_at(i);
    deviations += abs(centred);
    sum_g += g;
    sum_gx += g * centred;
    signs += sign(centred);
  }
  let means = totals(vec4f(across(deviations), across(sum_g), across(sum_gx), across(signs)), lane) / params.count;
  let scale = 1 / (params.factor * means.x + params.epsilon);
  let r = select(scale, 0, means.x < params.floor);
  let slope = params.factor * (means.z * scale);
  return Row(mean, scale, r, slope, slope * means.w - means.y);
}

fn work(block: u32, lane: u32, lanes: u32) {
  let first_row = block * params.rows_per_block;
  let width = select(0u, params.width, first_row < params.rows);
  var of_row: array<Row, 8>;
  for (var chunk = 0u; chunk < params.rows_per_block; chunk += 8) {
    let first = first_row + chunk;
    let planned = min(8u, params.rows_per_block - chunk);
    for (var k = 0u; k < planned; k++) {
      of_row[k] = statistics(first + k, lane, lanes);
    }
    let present = select(0u, min(planned, params.rows - first), first < params.rows);
    for (var column = lane; column < width; column += lanes) {
      let gain = gamma_at(column);
      var dgamma = Item();
      var dbeta = Item();
      for (var k = 0u; k < present; k++) {
        let at = (first + k) * params.width + column;
        let row = of_row[k];
        let centred = x[at] - row.mean;
        let d = dy[at];
        dx[at] = (d * gain + row.offset - sign(centred) * row.slope) * row.r;
        dgamma += d * centred * row.scale;
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
