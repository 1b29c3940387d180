// Mean, and sum of squared differences from it, of each block of rows: `columns` columns by the workgroup's other threads, its lanes.
struct Params { rows: u32, width: u32, rows_per_block: u32 }

@group(0) @binding(0) var<storage, read> x: array<Item>;
// [blocks, 2, width]
@group(0) @binding(1) var<storage, read_write> partials: array<Item>;
@group(0) @binding(2) var<uniform> params: Params;

override columns: u32 = 16;

var<workgroup> sums: array<Item, 256>;

/** The sum over the lanes of a column. */
fn total(value: Item, local: u32) -> Item {
  workgroupBarrier();
  sums[local] = value;
  workgroupBarrier();
  var sum = Item();
  for (var i = local % columns; i < 256; i += columns) {
    sum += sums[i];
  }
  return sum;
}

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(num_workgroups) workgroups: vec3u, @builtin(local_invocation_index) local: u32) {
  let tiles = (params.width + columns - 1) / columns;
  let tile = workgroup.x + workgroup.y * workgroups.x;
  let block = tile / tiles;
  let column = (tile % tiles) * columns + local % columns;
  let lane = local / columns;
  let lanes = 256 / columns;
  let first = block * params.rows_per_block;
  // Threads beyond the last column or row read and write nothing, but take part in barriers.
  let end = select(0u, min(first + params.rows_per_block, params.rows), column < params.width && first < params.rows);

  var sum = Item();
  for (var row = first + lane; row < end; row += lanes) {
    sum += x[row * params.width + column];
  }
  let mean = total(sum, local) / f32(end - first);
  var squares = Item();
  for (var row = first + lane; row < end; row += lanes) {
    let centred = x[row * params.width + column] - mean;
    squares += centred * centred;
  }
  squares = total(squares, local);
  if (lane == 0 && first < end) {
    partials[2 * block * params.width + column] = mean;
    partials[(2 * block + 1) * params.width + column] = squares;
  }
}
