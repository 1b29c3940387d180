/** Gives uniform numbers in [0, 1). */
export type Uniform = () => number;

/** A seed from text (FNV-1a). */
export function seedOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash >>> 0;
}

/** A small generator for test data (xorshift32): the same numbers in every run and every engine. */
export function uniform(seed: number): Uniform {
  let state = seed | 1;
  const next = (): number => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
  // The first numbers of like seeds are alike.
  for (let i = 0; i < 8; i++) next();
  return next;
}
