// Repetition of runs of bytes, whatever their type. Each run is copied once, then the copies are doubled: `memory.copy` does long runs at the
// speed of memory, and short ones at the cost of a call.

/** y = each of `outer` runs of `bytes` bytes of x, `times` times in a row. */
export function repeat(x: usize, y: usize, outer: usize, bytes: usize, times: usize): void {
  const whole = bytes * times;
  for (let i: usize = 0; i < outer; i++) {
    memory.copy(y, x, bytes);
    for (let done = bytes; done < whole; ) {
      const more = done < whole - done ? done : whole - done;
      memory.copy(y + done, y, more);
      done += more;
    }
    x += bytes;
    y += whole;
  }
}

/** The same for runs of one float32: a vector at a time. */
export function repeatFloat(x: usize, y: usize, outer: usize, times: usize): void {
  for (let i: usize = 0; i < outer; i++) {
    const v = v128.load32_splat(x);
    const end = y + times * 4;
    for (; y + 16 <= end; y += 16) v128.store(y, v);
    for (; y < end; y += 4) v128.store32_lane(y, v, 0);
    x += 4;
  }
}
