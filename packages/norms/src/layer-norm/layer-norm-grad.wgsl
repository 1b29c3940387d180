// dx of a block of rows, and the block's part of dgamma and dbeta, a team a block. Rows come in chunks of 8: first the statistics of each,
// then, column by column, dx and the sums over the chunk's rows, which need no second reading of x and dy.
// dz is dy times the slope of the activation.
struct Params {
  rows: u32, width: u32, rows_per_block: u32, has_gamma: u32, has_beta: u32, has_dsum: u32, activation: u32, count: f32,
  epsilon: f32,
}

@group(0) @binding(0) var<storage, read> x: array<Item>;
@group(0) @binding(1) var<storage, read> dy: array<Item>;
@group(0) @binding(2) var<storage, read> gamma: array<Item>;
@group(0) @binding(3) var<storage, read> beta: array<Item>;
@group(0) @binding(4) var<storage, read> dsum: array<Item>;
@group(0) @binding(5) var<storage, read_write> dx: array<Item>;
// [blocks, 2, width]
@group(0) @binding(6) var<storage, read_write> partials: array<Item>;
@group(0) @binding(7) var<uniform> params: Params;

fn gamma_at(column: u32) -> Item {
  if (params.has_gamma == 1) {
    return gamma[column];
  }
  return Item(1);
}

/** The gradient before the activation. */
fn dz_at(at: u32, column: u32, xhat: Item) -> Item {
  if (params.activation == 0) {
    return dy[at];
  }
  var z = xhat * gamma_at(column);
  if (params.has_beta == 1) {
    z += beta[column];
  }
  return deactivate(z, dy[at], params.activation);
}

/** mean, 1 / sqrt(var + epsilon), mean of g, mean of g xhat, with g = dz gamma. */
fn statistics(row: u32, lane: u32, lanes: u32) -> vec4f {
  let width = select(0u, params.width, row < params.rows);
  let start = row * params.width;
  var sum = Item();
  for (var i = lane; i < width; i += lanes) {
    sum += x[start + i];
  }
  let mean = total(across(sum), lane) / params.count;
  var squares = Item();
  var sum_g = Item();
  var sum_gx = Item();
  for (var i = lane; i < width; i += lanes) {
    let centred = x[start + i] - mean;
    squares += centred * centred;
    if (params.activation == 0) {
      let g = dy[start + i] * gamma_at(i);
      sum_g += g;
      sum_gx += g * centred;
    }
  }
  if (params.activation != 0) {
    // The slope depends on the variance: one more reading.
    let root = inverseSqrt(total(across(squares), lane) / params.count + params.epsilon);
    for (var i = lane; i < width; i += lanes) {
      let centred = x[start + i] - mean;
      let g = dz_at(start + i, i, centred * root) * gamma_at(i);
      sum_g += g;
      sum_gx += g * centred;
    }
  }
  let means = totals(vec4f(across(squares), across(sum_g), across(sum_gx), 0), lane) / params.count;
  let r = inverseSqrt(means.x + params.epsilon);
  return vec4f(mean, r, means.y, means.z * r);
}

fn work(block: u32, lane: u32, lanes: u32) {
  let first_row = block * params.rows_per_block;
  let width = select(0u, params.width, first_row < params.rows);
  var of_row: array<vec4f, 8>;
  for (var chunk = 0u; chunk < params.rows_per_block; chunk += 8) {
    let first = first_row + chunk;
    let planned = min(8u, params.rows_per_block - chunk);
    for (var k = 0u; k < planned; k++) {
      of_row[k] = statistics(first + k, lane, lanes);
    }
    let present = select(0u, min(planned, params.rows - first), first < params.rows);
    for (var column = lane; column < width; column += lanes) {
      let scale = gamma_at(column);
      var dgamma = Item();
      var dbeta = Item();
      for (var k = 0u; k < present; k++) {
        let at = (first + k) * params.width + column;
        let row = of_row[k];
        let xhat = (x[at] - row.x) * row.y;
        let d = dz_at(at, column, xhat);
        var value = (d * scale - row.z - xhat * row.w) * row.y;
        if (params.has_dsum == 1) {
          value += dsum[at];
        }
        dx[at] = value;
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
