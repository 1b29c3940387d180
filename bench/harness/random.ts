/** `length` normal deviates of the given mean and deviation, the same on every machine. xorshift32 and Box-Muller: data to time with, no more. */
export function normal(length: number, seed: number, mean = 0, deviation = 1): Float32Array<ArrayBuffer> {
  let state = seed * 2654435761 || 1;
  const uniform = (): number => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return ((state >>> 0) + 0.5) / 2 ** 32;
  };
  const values = new Float32Array(length);
  for (let i = 0; i < length; i++) values[i] = mean + deviation * Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform());
  return values;
}
