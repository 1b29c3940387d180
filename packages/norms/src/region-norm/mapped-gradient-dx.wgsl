// A team a pixel: dx = a dy (1 + gain) + b (x - mean) + c, and the pixel's dgain = sum of dy xhat and dshift = sum of dy.
struct Params { teams: u32, width: u32, positions: u32, regions: u32 }

@group(0) @binding(0) var<storage, read> x: array<Item>;
@group(0) @binding(1) var<storage, read> labels: array<i32>;
@group(0) @binding(2) var<storage, read> dy: array<Item>;
@group(0) @binding(3) var<storage, read> affine: array<vec2f>;
// [sets, regions, 3, width], both
@group(0) @binding(4) var<storage, read> statistics: array<Item>;
@group(0) @binding(5) var<storage, read> coefficients: array<Item>;
@group(0) @binding(6) var<storage, read_write> dx: array<Item>;
@group(0) @binding(7) var<storage, read_write> daffine: array<vec2f>;
@group(0) @binding(8) var<uniform> params: Params;

fn work(row: u32, lane: u32, lanes: u32) {
  // Teams too many read and write nothing, but take part in sums.
  let live = row < params.teams;
  let width = select(0u, params.width, live);
  var label = -1;
  var gain = 1f;
  if (live) {
    label = labels[row];
    gain = affine[row].x + 1;
  }
  let known = label >= 0 && label < i32(params.regions);
  let own = (row / params.positions * params.regions + select(0u, u32(label), known)) * 3 * params.width;
  var of_xhat = Item();
  var of_dy = Item();
  for (var column = lane; column < width; column += lanes) {
    let at = row * params.width + column;
    let d = dy[at];
    of_dy += d;
    if (known) {
      let scaled = coefficients[own + column] * d;
      let centred = x[at] - statistics[own + params.width + column];
      of_xhat += scaled * centred;
      dx[at] = scaled * gain + (coefficients[own + params.width + column] * centred + coefficients[own + 2 * params.width + column]);
    } else {
      dx[at] = Item();
    }
  }
  let sums = totals(vec4f(across(of_xhat), across(of_dy), 0, 0), lane);
  if (live && lane == 0) {
    daffine[row] = sums.xy;
  }
}
