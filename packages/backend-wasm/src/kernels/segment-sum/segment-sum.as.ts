// Sums of slices by segment: what a gather's gradient is.

// @ts-ignore: decorator
@inline
function segmentOf(ids: usize, index: usize, segments: usize): usize {
  return <usize>load<u32>(ids + index * 4) < segments ? <usize>load<u32>(ids + index * 4) : segments;
}

/**
 * y[ids[i]] += x[i] over slices of `inner` elements: x [n, inner], ids [n], y [segments, inner], zeroed here. Ids outside
 * 0 .. segments - 1 are dropped.
 */
export function sumFloats(x: usize, ids: usize, n: usize, inner: usize, segments: usize, y: usize): void {
  const slice = inner * 4;
  memory.fill(y, 0, segments * slice);
  for (let i: usize = 0; i < n; i++) {
    const segment = segmentOf(ids, i, segments);
    const end = x + slice;
    if (segment == segments) {
      x = end;
      continue;
    }
    let to = y + segment * slice;
    for (; x + 16 <= end; x += 16) {
      v128.store(to, f32x4.add(v128.load(to), v128.load(x)));
      to += 16;
    }
    for (; x < end; x += 4) {
      store<f32>(to, load<f32>(to) + load<f32>(x));
      to += 4;
    }
  }
}

/** The same of int32. */
export function sumIntegers(x: usize, ids: usize, n: usize, inner: usize, segments: usize, y: usize): void {
  const slice = inner * 4;
  memory.fill(y, 0, segments * slice);
  for (let i: usize = 0; i < n; i++) {
    const segment = segmentOf(ids, i, segments);
    const end = x + slice;
    if (segment == segments) {
      x = end;
      continue;
    }
    let to = y + segment * slice;
    for (; x < end; x += 4) {
      store<i32>(to, load<i32>(to) + load<i32>(x));
      to += 4;
    }
  }
}
