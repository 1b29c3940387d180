// dx of a block of rows, and the block's part of dgamma, a team a block: as layer-norm-grad.wgsl, without mean and beta.
// dz is dy times the slope of the activation.
struct Params { rows: u32, width: u32, rows_per_block: u32, has_gamma: u32, has_dsum: u32, activation: u32, count: f32, epsilon: f32 }

@group(0) @binding(0) var<storage, read> x: array<Item>;
@group(0) @binding(1) var<storage, read> dy: array<Item>;
@group(0) @binding(2) var<storage, read> gamma: array<Item>;
@group(0) @binding(3) var<storage, read> dsum: array<Item>;
@group(0) @binding(4) var<storage, read_write> dx: array<Item>;
// [blocks, width]
@group(0) @binding(5) var<storage, read_write> partials: array<Item>;
@group(0) @binding(6) var<uniform> params: Params;

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
  return deactivate(xhat * gamma_at(column), dy[at], params.activation);
}

/** 1 / sqrt(mean(x^2) + epsilon), and mean of g xhat, with g = dz gamma. */
fn statistics(row: u32, lane: u32, lanes: u32) -> vec2f {
  let width = select(0u, params.width, row < params.rows);
  let start = row * params.width;
  var squares = Item();
  var sum_gx = Item();
  for (var i = lane; i < width; i += lanes) {
    let value = x[start + i];
    squares += value * value;
    if (params.activation == 0) {
      sum_gx += dy[start + i] * gamma_at(i) * value;
    }
  }
  if (params.activation != 0) {
    // The slope depends on the mean square: one more reading.
    let root = inverseSqrt(total(across(squares), lane) / params.count + params.epsilon);
    for (var i = lane; i < width; i += lanes) {
      let value = x[start + i];
      sum_gx += dz_at(start + i, i, value * root) * gamma_at(i) * value;
    }
  }
  let means = totals(vec4f(across(squares), across(sum_gx), 0, 0), lane) / params.count;
  let r = inverseSqrt(means.x + params.epsilon);
  return vec2f(r, means.y * r);
}

fn work(block: u32, lane: u32, lanes: u32) {
  let first_row = block * params.rows_per_block;
  let width = select(0u, params.width, first_row < params.rows);
  var of_row: array<vec2f, 8>;
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
      for (var k = 0u; k < present; k++) {
        let at = (first + k) * params.width + column;
        let row = of_row[k];
        let xhat = x[at] * row.x;
        let d = dz_at(at, column, xhat);
        var result = (d * scale - xhat * row.y) * row.x;
        if (params.has_dsum == 1) {
          result += dsum[at];
        }
        dx[at] = result;
        dgamma += d * xhat;
      }
      let part = block * params.width + column;
      if (chunk > 0) {
        dgamma += partials[part];
      }
      partials[part] = dgamma;
    }
  }
}
