// The smallest WASM module that computes something: written by hand, so that core's tests need no kernel build.

const ascii = (text: string): number[] => [text.length, ...Array.from(text, (letter) => letter.charCodeAt(0))];
const section = (id: number, body: number[]): number[] => [id, body.length, ...body];

const I32 = 0x7f;
const F32 = 0x7d;

const HEADER = [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00];

/** for (; n > 0; n--) { *c = *a * *b * factor; a += 4; b += 4; c += 4 } of parameters a, b, c, n, factor. */
const BODY = [
  [0x02, 0x40, 0x03, 0x40, 0x20, 0x03, 0x45, 0x0d, 0x01], // block, loop, n == 0: leave
  [0x20, 0x02, 0x20, 0x00, 0x2a, 0x02, 0x00, 0x20, 0x01, 0x2a, 0x02, 0x00, 0x94, 0x20, 0x04, 0x94, 0x38, 0x02, 0x00], // *c = *a * *b * factor
  [0, 1, 2].flatMap((local) => [0x20, local, 0x41, 0x04, 0x6a, 0x21, local]), // each += 4
  [0x20, 0x03, 0x41, 0x01, 0x6b, 0x21, 0x03, 0x0c, 0x00, 0x0b, 0x0b], // n -= 1, again
].flat();

/** A module that exports `product(a, b, c, n, factor)`, in base64. */
export const productModule: string = btoa(
  String.fromCharCode(
    ...HEADER,
    ...section(1, [1, 0x60, 5, I32, I32, I32, I32, F32, 0]),
    ...section(2, [1, ...ascii('env'), ...ascii('memory'), 0x02, 0x00, 0x01]),
    ...section(3, [1, 0]),
    ...section(7, [1, ...ascii('product'), 0x00, 0]),
    ...section(10, [1, BODY.length + 2, 0x00, ...BODY, 0x0b]),
  ),
);
