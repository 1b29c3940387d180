// Region normalization of channels that stand last. A set of `positions` pixels shares statistics; a pixel's label says which region it is of,
// and one that is none of them counts nowhere. A block's pixels are listed by region first, so that each region is summed by itself, with sums
// in registers and without looking at labels: any number of regions costs one sweep, and what stands in one never touches another.
import { accumulate, affine as scaleAndShift, blockRows, merge, spread } from '../_columns.as';
import { lanes, min } from '../_simd.as';

export { fill } from '../_simd.as';

/** More rows than a block has. */
const MOST_ROWS: usize = 128;

// What a call's scratch memory holds: see `layout`.
let order: usize = 0;
let counts: usize = 0;
let starts: usize = 0;
let totals: usize = 0;
let block: usize = 0;
let wide: usize = 0;
let narrow: usize = 0;

/**
 * The pixels of a block by region, 512 bytes; three numbers for each region; a block's two arrays of float32; for each region two arrays of
 * float64, `wide`, and two of float32, `narrow`. Arrays have room for a multiple of four channels.
 */
function layout(scratch: usize, regions: usize, room: usize): void {
  order = scratch;
  counts = order + (MOST_ROWS << 2);
  starts = counts + (regions << 2);
  totals = starts + (regions << 2);
  block = (totals + (regions << 2) + 15) & ~15;
  wide = block + (room << 1);
  narrow = wide + regions * (room << 2);
}

/** Lists the rows of a block by region: `counts[k]` of them, from `starts[k]` in `order` on. */
function sort(labels: usize, rows: usize, regions: usize): void {
  memory.fill(counts, 0, regions << 2);
  for (let row: usize = 0; row < rows; row++) {
    const label = <usize>load<u32>(labels + (row << 2));
    if (label >= regions) continue;
    const at = counts + (label << 2);
    store<u32>(at, load<u32>(at) + 1);
  }
  let next: u32 = 0;
  for (let k: usize = 0; k < regions << 2; k += 4) {
    store<u32>(starts + k, next);
    next += load<u32>(counts + k);
  }
  for (let row: usize = 0; row < rows; row++) {
    const label = <usize>load<u32>(labels + (row << 2));
    if (label >= regions) continue;
    const at = starts + (label << 2);
    const place = load<u32>(at);
    store<u32>(order + (<usize>place << 2), <u32>row);
    store<u32>(at, place + 1);
  }
  // They have moved to the end of each region.
  for (let k: usize = 0; k < regions << 2; k += 4) store<u32>(starts + k, load<u32>(starts + k) - load<u32>(counts + k));
}

/** Means and sums of centred squares of the columns of some rows, a strip of columns at a time: its lines stay in the L1 cache. */
function listedMoments(x: usize, list: usize, rows: usize, bytes: usize, means: usize, squares: usize): void {
  const part: f32 = 1 / <f32>rows;
  const factor = f32x4.splat(part);
  const end = list + (rows << 2);
  let i: usize = 0;
  for (; i + 32 <= bytes; i += 32) {
    let a = f32x4.splat(0);
    let b = f32x4.splat(0);
    for (let at = list; at < end; at += 4) {
      const p = x + i + <usize>load<u32>(at) * bytes;
      a = f32x4.add(a, v128.load(p));
      b = f32x4.add(b, v128.load(p, 16));
    }
    const ma = f32x4.mul(a, factor);
    const mb = f32x4.mul(b, factor);
    a = f32x4.splat(0);
    b = f32x4.splat(0);
    for (let at = list; at < end; at += 4) {
      const p = x + i + <usize>load<u32>(at) * bytes;
      const q = f32x4.sub(v128.load(p), ma);
      a = f32x4.add(a, f32x4.mul(q, q));
      const r = f32x4.sub(v128.load(p, 16), mb);
      b = f32x4.add(b, f32x4.mul(r, r));
    }
    v128.store(means + i, ma);
    v128.store(means + i, mb, 16);
    v128.store(squares + i, a);
    v128.store(squares + i, b, 16);
  }
  for (; i + 16 <= bytes; i += 16) {
    let a = f32x4.splat(0);
    for (let at = list; at < end; at += 4) a = f32x4.add(a, v128.load(x + i + <usize>load<u32>(at) * bytes));
    const mean = f32x4.mul(a, factor);
    a = f32x4.splat(0);
    for (let at = list; at < end; at += 4) {
      const q = f32x4.sub(v128.load(x + i + <usize>load<u32>(at) * bytes), mean);
      a = f32x4.add(a, f32x4.mul(q, q));
    }
    v128.store(means + i, mean);
    v128.store(squares + i, a);
  }
  for (; i < bytes; i += 4) {
    let a: f32 = 0;
    for (let at = list; at < end; at += 4) a += load<f32>(x + i + <usize>load<u32>(at) * bytes);
    const mean = a * part;
    a = 0;
    for (let at = list; at < end; at += 4) {
      const q = load<f32>(x + i + <usize>load<u32>(at) * bytes) - mean;
      a += q * q;
    }
    store<f32>(means + i, mean);
    store<f32>(squares + i, a);
  }
}

/** Count, mean and variance of each region of a set: [regions, 3, channels]. */
function setMoments(x: usize, labels: usize, positions: usize, bytes: usize, regions: usize, statistics: usize): void {
  const room = (bytes + 15) & ~15;
  const most = min(blockRows(bytes), MOST_ROWS);
  memory.fill(totals, 0, regions << 2);
  memory.fill(wide, 0, regions * (room << 2));
  for (let done: usize = 0; done < positions;) {
    const rows = min(most, positions - done);
    sort(labels + (done << 2), rows, regions);
    for (let k: usize = 0; k < regions; k++) {
      const count = <usize>load<u32>(counts + (k << 2));
      if (count === 0) continue;
      listedMoments(x + done * bytes, order + (<usize>load<u32>(starts + (k << 2)) << 2), count, bytes, block, block + room);
      const before = <usize>load<u32>(totals + (k << 2));
      const means = wide + k * (room << 2);
      merge(means, means + (room << 1), block, block + room, bytes, before, count);
      store<u32>(totals + (k << 2), <u32>(before + count));
    }
    done += rows;
  }
  for (let k: usize = 0; k < regions; k++) {
    const count = load<u32>(totals + (k << 2));
    const n: f64 = count === 0 ? 1 : <f64>count;
    const means = wide + k * (room << 2);
    for (let i: usize = 0; i < bytes; i += 4) {
      store<f32>(statistics + i, <f32>count);
      store<f32>(statistics + bytes + i, <f32>load<f64>(means + (i << 1)));
      store<f32>(statistics + (bytes << 1) + i, <f32>(load<f64>(means + (room << 1) + (i << 1)) / n));
    }
    statistics += 3 * bytes;
  }
}

/** 1 / sqrt(variance + epsilon), with an epsilon for the region's share of the pixels if that is wanted. */
// @ts-ignore: decorator
@inline
function inverseRoot(variance: f32, count: f32, positions: usize, epsilon: f32, official: bool): f64 {
  const own = official ? (<f64>epsilon * <f64>positions) / <f64>max<f32>(count, 1) : <f64>epsilon;
  return 1 / sqrt<f64>(<f64>variance + own);
}

/** How many pixels from the first on have its label. */
function runOf(labels: usize, rows: usize): usize {
  const label = load<u32>(labels);
  let run: usize = 1;
  while (run < rows && load<u32>(labels + (run << 2)) === label) run++;
  return run;
}

/** The moments alone. */
export function moments(
  x: usize,
  labels: usize,
  statistics: usize,
  scratch: usize,
  sets: usize,
  positions: usize,
  channels: usize,
  regions: usize,
): void {
  const bytes = channels << 2;
  layout(scratch, regions, (bytes + 15) & ~15);
  for (; sets > 0; sets--) {
    setMoments(x, labels, positions, bytes, regions, statistics);
    x += positions * bytes;
    labels += positions << 2;
    statistics += 3 * regions * bytes;
  }
}

/** dx = (x - mean) slope + offset by region and channel. */
export function momentsGradient(
  x: usize,
  labels: usize,
  statistics: usize,
  dstatistics: usize,
  dx: usize,
  scratch: usize,
  sets: usize,
  positions: usize,
  channels: usize,
  regions: usize,
): void {
  const bytes = channels << 2;
  const room = (bytes + 15) & ~15;
  layout(scratch, regions, room);
  for (; sets > 0; sets--) {
    for (let k: usize = 0; k < regions; k++) {
      const own = statistics + 3 * k * bytes;
      const given = dstatistics + 3 * k * bytes;
      const slope = narrow + k * (room << 1);
      for (let i: usize = 0; i < bytes; i += 4) {
        const n = max<f32>(load<f32>(own + i), 1);
        store<f32>(slope + i, (load<f32>(given + (bytes << 1) + i) * 2) / n);
        store<f32>(slope + room + i, load<f32>(given + bytes + i) / n);
      }
    }
    for (let rows = positions; rows > 0;) {
      const run = runOf(labels, rows);
      const label = <usize>load<u32>(labels);
      const slope = narrow + label * (room << 1);
      if (label < regions) scaleAndShift(x, dx, run, bytes, statistics + (3 * label + 1) * bytes, slope, slope + room);
      else memory.fill(dx, 0, run * bytes);
      x += run * bytes;
      dx += run * bytes;
      labels += run << 2;
      rows -= run;
    }
    statistics += 3 * regions * bytes;
    dstatistics += 3 * regions * bytes;
  }
}

/** y = gamma (x - mean) / sqrt(variance + epsilon) + beta by region and channel; 0 without a region. */
export function forward(
  x: usize,
  labels: usize,
  gamma: usize,
  beta: usize,
  y: usize,
  statistics: usize,
  scratch: usize,
  sets: usize,
  positions: usize,
  channels: usize,
  regions: usize,
  epsilon: f32,
  official: bool,
): void {
  const bytes = channels << 2;
  const room = (bytes + 15) & ~15;
  layout(scratch, regions, room);
  for (; sets > 0; sets--) {
    setMoments(x, labels, positions, bytes, regions, statistics);
    for (let k: usize = 0; k < regions; k++) {
      const own = statistics + 3 * k * bytes;
      const scale = narrow + k * room;
      for (let i: usize = 0; i < bytes; i += 4) {
        const r = inverseRoot(load<f32>(own + (bytes << 1) + i), load<f32>(own + i), positions, epsilon, official);
        store<f32>(scale + i, <f32>(<f64>load<f32>(gamma + k * bytes + i) * r));
      }
    }
    for (let rows = positions; rows > 0;) {
      const run = runOf(labels, rows);
      const label = <usize>load<u32>(labels);
      const mean = statistics + (3 * label + 1) * bytes;
      if (label < regions) scaleAndShift(x, y, run, bytes, mean, narrow + label * room, beta + label * bytes);
      else memory.fill(y, 0, run * bytes);
      x += run * bytes;
      y += run * bytes;
      labels += run << 2;
      rows -= run;
    }
    statistics += 3 * regions * bytes;
  }
}

/** y = (1 + gain) (x - mean) / sqrt(variance + epsilon) + shift, with a gain and a shift for each pixel; the shift without a region. */
export function mapped(
  x: usize,
  labels: usize,
  affine: usize,
  y: usize,
  statistics: usize,
  scratch: usize,
  sets: usize,
  positions: usize,
  channels: usize,
  regions: usize,
  epsilon: f32,
  official: bool,
): void {
  const bytes = channels << 2;
  const room = (bytes + 15) & ~15;
  layout(scratch, regions, room);
  for (; sets > 0; sets--) {
    setMoments(x, labels, positions, bytes, regions, statistics);
    for (let k: usize = 0; k < regions; k++) {
      const own = statistics + 3 * k * bytes;
      const scale = narrow + k * room;
      for (let i: usize = 0; i < bytes; i += 4) {
        store<f32>(scale + i, <f32>inverseRoot(load<f32>(own + (bytes << 1) + i), load<f32>(own + i), positions, epsilon, official));
      }
    }
    for (let row: usize = 0; row < positions; row++) {
      const label = <usize>load<u32>(labels);
      const shift = load<f32>(affine + 4);
      if (label < regions) mappedRow(x, y, bytes, statistics + (3 * label + 1) * bytes, narrow + label * room, load<f32>(affine) + 1, shift);
      else for (let i: usize = 0; i < bytes; i += 4) store<f32>(y + i, shift);
      x += bytes;
      y += bytes;
      labels += 4;
      affine += 8;
    }
    statistics += 3 * regions * bytes;
  }
}

function mappedRow(x: usize, y: usize, bytes: usize, mean: usize, scale: usize, gain: f32, shift: f32): void {
  const g = f32x4.splat(gain);
  const s = f32x4.splat(shift);
  let i: usize = 0;
  for (; i + 16 <= bytes; i += 16) {
    const xhat = f32x4.mul(f32x4.sub(v128.load(x + i), v128.load(mean + i)), v128.load(scale + i));
    v128.store(y + i, f32x4.add(f32x4.mul(xhat, g), s));
  }
  for (; i < bytes; i += 4) store<f32>(y + i, (load<f32>(x + i) - load<f32>(mean + i)) * load<f32>(scale + i) * gain + shift);
}

/** Sums of g and of g (x - mean) by column over some rows, with g = dy, or dy (1 + gain) where there is an `affine`. */
function listedSums(
  x: usize,
  dy: usize,
  affine: usize,
  list: usize,
  rows: usize,
  bytes: usize,
  mean: usize,
  ofG: usize,
  ofProduct: usize,
): void {
  const end = list + (rows << 2);
  const toDy = dy - x;
  let i: usize = 0;
  for (; i + 16 <= bytes; i += 16) {
    const m = v128.load(mean + i);
    let a = f32x4.splat(0);
    let p = f32x4.splat(0);
    for (let at = list; at < end; at += 4) {
      const row = <usize>load<u32>(at);
      const from = x + i + row * bytes;
      let g = v128.load(from + toDy);
      if (affine !== 0) g = f32x4.mul(g, f32x4.splat(load<f32>(affine + (row << 3)) + 1));
      a = f32x4.add(a, g);
      p = f32x4.add(p, f32x4.mul(g, f32x4.sub(v128.load(from), m)));
    }
    v128.store(ofG + i, a);
    v128.store(ofProduct + i, p);
  }
  for (; i < bytes; i += 4) {
    const m = load<f32>(mean + i);
    let a: f32 = 0;
    let p: f32 = 0;
    for (let at = list; at < end; at += 4) {
      const row = <usize>load<u32>(at);
      const from = x + i + row * bytes;
      let g = load<f32>(from + toDy);
      if (affine !== 0) g *= load<f32>(affine + (row << 3)) + 1;
      a += g;
      p += g * (load<f32>(from) - m);
    }
    store<f32>(ofG + i, a);
    store<f32>(ofProduct + i, p);
  }
}

/** Those sums for each region of a set, float64. */
function setSums(
  x: usize,
  labels: usize,
  dy: usize,
  affine: usize,
  positions: usize,
  bytes: usize,
  regions: usize,
  statistics: usize,
): void {
  const room = (bytes + 15) & ~15;
  const most = min(blockRows(bytes << 1), MOST_ROWS);
  memory.fill(wide, 0, regions * (room << 2));
  for (let done: usize = 0; done < positions;) {
    const rows = min(most, positions - done);
    sort(labels + (done << 2), rows, regions);
    for (let k: usize = 0; k < regions; k++) {
      const count = <usize>load<u32>(counts + (k << 2));
      if (count === 0) continue;
      const list = order + (<usize>load<u32>(starts + (k << 2)) << 2);
      const from = affine === 0 ? 0 : affine + (done << 3);
      const mean = statistics + (3 * k + 1) * bytes;
      listedSums(x + done * bytes, dy + done * bytes, from, list, count, bytes, mean, block, block + room);
      const sums = wide + k * (room << 2);
      accumulate(sums, block, bytes);
      accumulate(sums + (room << 1), block + room, bytes);
    }
    done += rows;
  }
}

/** The gradients, as RegionNormGrad has them. */
export function gradient(
  x: usize,
  labels: usize,
  dy: usize,
  statistics: usize,
  dstatistics: usize,
  gamma: usize,
  dx: usize,
  dgamma: usize,
  dbeta: usize,
  scratch: usize,
  sums: usize,
  sets: usize,
  positions: usize,
  channels: usize,
  regions: usize,
  epsilon: f32,
  official: bool,
): void {
  const bytes = channels << 2;
  const room = (bytes + 15) & ~15;
  layout(scratch, regions, room);
  memory.fill(sums, 0, regions * (bytes << 2));
  for (; sets > 0; sets--) {
    setSums(x, labels, dy, 0, positions, bytes, regions, statistics);
    for (let k: usize = 0; k < regions; k++) {
      const own = statistics + 3 * k * bytes;
      const given = dstatistics + 3 * k * bytes;
      const ofG = wide + k * (room << 2);
      const scale = narrow + 3 * k * room;
      for (let i: usize = 0; i < bytes; i += 4) {
        const r = inverseRoot(load<f32>(own + (bytes << 1) + i), load<f32>(own + i), positions, epsilon, official);
        const n = <f64>max<f32>(load<f32>(own + i), 1);
        const sum = load<f64>(ofG + (i << 1));
        const product = load<f64>(ofG + (room << 1) + (i << 1)) * r;
        const factor = <f64>load<f32>(gamma + k * bytes + i) * r;
        store<f32>(scale + i, <f32>factor);
        store<f32>(scale + room + i, <f32>((2 * <f64>load<f32>(given + (bytes << 1) + i) - factor * r * product) / n));
        store<f32>(scale + (room << 1) + i, <f32>((<f64>load<f32>(given + bytes + i) - factor * sum) / n));
        const total = sums + k * (bytes << 2) + (i << 2);
        store<f64>(total, load<f64>(total) + product);
        store<f64>(total, load<f64>(total, 8) + sum, 8);
      }
    }
    for (let rows = positions; rows > 0;) {
      const run = runOf(labels, rows);
      const label = <usize>load<u32>(labels);
      const scale = narrow + 3 * label * room;
      const mean = statistics + (3 * label + 1) * bytes;
      if (label < regions) spread(x, dy, dx, run, bytes, mean, scale, scale + room, scale + (room << 1));
      else memory.fill(dx, 0, run * bytes);
      x += run * bytes;
      dy += run * bytes;
      dx += run * bytes;
      labels += run << 2;
      rows -= run;
    }
    statistics += 3 * regions * bytes;
    dstatistics += 3 * regions * bytes;
  }
  for (let i: usize = 0; i < regions * bytes; i += 4) {
    store<f32>(dgamma + i, <f32>load<f64>(sums + (i << 2)));
    store<f32>(dbeta + i, <f32>load<f64>(sums + (i << 2), 8));
  }
}

/** The gradients, as MappedRegionNormGrad has them. */
export function mappedGradient(
  x: usize,
  labels: usize,
  dy: usize,
  affine: usize,
  statistics: usize,
  dstatistics: usize,
  dx: usize,
  daffine: usize,
  scratch: usize,
  sets: usize,
  positions: usize,
  channels: usize,
  regions: usize,
  epsilon: f32,
  official: bool,
): void {
  const bytes = channels << 2;
  const room = (bytes + 15) & ~15;
  layout(scratch, regions, room);
  for (; sets > 0; sets--) {
    setSums(x, labels, dy, affine, positions, bytes, regions, statistics);
    for (let k: usize = 0; k < regions; k++) {
      const own = statistics + 3 * k * bytes;
      const given = dstatistics + 3 * k * bytes;
      const ofG = wide + k * (room << 2);
      const scale = narrow + 3 * k * room;
      for (let i: usize = 0; i < bytes; i += 4) {
        const r = inverseRoot(load<f32>(own + (bytes << 1) + i), load<f32>(own + i), positions, epsilon, official);
        const n = <f64>max<f32>(load<f32>(own + i), 1);
        const product = load<f64>(ofG + (room << 1) + (i << 1)) * r;
        store<f32>(scale + i, <f32>r);
        store<f32>(scale + room + i, <f32>((2 * <f64>load<f32>(given + (bytes << 1) + i) - r * r * product) / n));
        store<f32>(scale + (room << 1) + i, <f32>((<f64>load<f32>(given + bytes + i) - r * load<f64>(ofG + (i << 1))) / n));
      }
    }
    for (let row: usize = 0; row < positions; row++) {
      const label = <usize>load<u32>(labels);
      const known = label < regions;
      const scale = known ? narrow + 3 * label * room : 0;
      gradientRow(x, dy, dx, bytes, statistics + (3 * label + 1) * bytes, scale, room, load<f32>(affine) + 1, daffine);
      x += bytes;
      dy += bytes;
      dx += bytes;
      labels += 4;
      affine += 8;
      daffine += 8;
    }
    statistics += 3 * regions * bytes;
    dstatistics += 3 * regions * bytes;
  }
}

/** A pixel's dx, and its dgain and dshift. A `scale` of 0: it has no region. */
function gradientRow(
  x: usize,
  dy: usize,
  dx: usize,
  bytes: usize,
  mean: usize,
  scale: usize,
  room: usize,
  gain: f32,
  daffine: usize,
): void {
  let ofXhat = f32x4.splat(0);
  let ofDy = f32x4.splat(0);
  const wideGain = f32x4.splat(gain);
  const slope = scale + room;
  const offset = slope + room;
  let i: usize = 0;
  for (; i + 16 <= bytes; i += 16) {
    const d = v128.load(dy + i);
    ofDy = f32x4.add(ofDy, d);
    if (scale === 0) {
      v128.store(dx + i, f32x4.splat(0));
      continue;
    }
    const centred = f32x4.sub(v128.load(x + i), v128.load(mean + i));
    const scaled = f32x4.mul(d, v128.load(scale + i));
    ofXhat = f32x4.add(ofXhat, f32x4.mul(scaled, centred));
    const through = f32x4.add(f32x4.mul(centred, v128.load(slope + i)), v128.load(offset + i));
    v128.store(dx + i, f32x4.add(f32x4.mul(scaled, wideGain), through));
  }
  let dgain = lanes(ofXhat);
  let dshift = lanes(ofDy);
  for (; i < bytes; i += 4) {
    const d = load<f32>(dy + i);
    dshift += d;
    if (scale === 0) {
      store<f32>(dx + i, 0);
      continue;
    }
    const centred = load<f32>(x + i) - load<f32>(mean + i);
    const scaled = d * load<f32>(scale + i);
    dgain += scaled * centred;
    store<f32>(dx + i, scaled * gain + (centred * load<f32>(slope + i) + load<f32>(offset + i)));
  }
  store<f32>(daffine, dgain);
  store<f32>(daffine + 4, dshift);
}
