// Philox4x32-10, as in philox.ts. The four words of a call are left in w0 to w3. Kernels of other packages may import this.

export let w0: u32 = 0;
export let w1: u32 = 0;
export let w2: u32 = 0;
export let w3: u32 = 0;

// @ts-ignore: decorator
@inline
export function philox(c0: u32, c1: u32, c2: u32, c3: u32, k0: u32, k1: u32): void {
  for (let round = 0; round < 10; round++) {
    const product0 = <u64>c0 * 0xd2511f53;
    const product1 = <u64>c2 * 0xcd9e8d57;
    c0 = <u32>(product1 >> 32) ^ c1 ^ k0;
    c1 = <u32>product1;
    c2 = <u32>(product0 >> 32) ^ c3 ^ k1;
    c3 = <u32>product0;
    k0 += 0x9e3779b9;
    k1 += 0xbb67ae85;
  }
  w0 = c0;
  w1 = c1;
  w2 = c2;
  w3 = c3;
}

/** Block `block` of what is drawn: four words for four numbers. */
export function draw(block: u64, k0: u32, k1: u32): void {
  philox(<u32>block, <u32>(block >> 32), 0, 0, k0, k1);
}

/** A number of [0, 1) of a word. */
// @ts-ignore: decorator
@inline
export function uniformOf(word: u32): f32 {
  return <f32>(word >> 8) * <f32>5.9604644775390625e-8;
}
