// Merges the moments of a set's blocks, a team a few columns of a set.
struct Params { rows: u32, width: u32, blocks: u32, sets: u32, regions: u32 }

// [sets, blocks, regions, 3, width]
@group(0) @binding(0) var<storage, read> partials: array<Item>;
// [sets, regions, 3, width]
@group(0) @binding(1) var<storage, read_write> statistics: array<Item>;
@group(0) @binding(2) var<uniform> params: Params;

fn work(of_set: u32, column: u32, lane: u32, lanes: u32) {
  let live = column < params.width && of_set < params.sets;
  for (var region = 0u; region < params.regions; region++) {
    let moments = merged(of_set, region, column, lane, lanes, live);
    if (lane == 0 && live) {
      keep(of_set, region, column, moments);
    }
  }
}
