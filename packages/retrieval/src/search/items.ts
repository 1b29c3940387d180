import { cast, floorDiv, mod, mul, reshape, slice, stack, sub, type Tensor, type Tensor1D, type Tensor2D } from '@tensorflow/tfjs-core';
import { expect } from '@evenkeel/core';

/** Whether a matrix of items holds what its dtype says: floats as wide as the queries, or four int8 codes a word, with scales. */
export function checkItems(op: string, depth: number, items: Tensor, scales: Tensor | undefined): void {
  const words = items.dtype === 'int32' ? Math.ceil(depth / 4) : depth;
  const expected = items.dtype === 'int32' ? `${words} words of four codes` : `${depth} numbers`;
  expect(items.shape[1] === words, op, 'items', `rows of ${expected}, as queries have ${depth} dimensions`, items, 'SHAPE');
  expect(items.shape[0]! > 0, op, 'items', 'at least one item', items);
  expect(depth > 0, op, 'items', 'at least one dimension', items);
  const coded = items.dtype === 'int32';
  expect(coded === (scales !== undefined), op, 'scales', coded ? 'a scale for each item of int8 codes' : 'none for float32 items', scales);
}

/** Items as floats [n, depth]: int8 codes, the lowest byte of a word first, times the scale of the item. */
export function decodeItems(items: Tensor2D, scales: Tensor1D | undefined, depth: number): Tensor2D {
  if (scales === undefined) return items;
  const [n, words] = items.shape;
  const bytes: Tensor[] = [];
  let rest: Tensor = items;
  for (let byte = 0; byte < 4; byte++) {
    // Floored both, so that words below 0 have bytes in 0 to 255, too.
    const low = mod(rest, 256);
    bytes.push(low);
    rest = floorDiv(sub(rest, low), 256);
  }
  const unsigned = reshape(stack(bytes, 2), [n, words * 4]);
  const signed = sub(mod(cast(unsigned, 'float32') as Tensor, 256), mul(256, cast(floorDiv(unsigned, 128), 'float32')));
  return mul(slice(signed, [0, 0], [n, depth]), reshape(scales, [n, 1]));
}

/** Codes of rows: each divided by 1/127 of its largest magnitude, rounded, four a word. */
export function encodeItems(vectors: Float32Array, depth: number): { words: Int32Array; scales: Float32Array } {
  const n = vectors.length / depth;
  const width = Math.ceil(depth / 4);
  const words = new Int32Array(n * width);
  const bytes = new Int8Array(words.buffer);
  const scales = new Float32Array(n);
  for (let i = 0; i < n; i++) {
    const row = vectors.subarray(i * depth, (i + 1) * depth);
    let most = 0;
    for (const value of row) most = Math.max(most, Math.abs(value));
    const scale = (scales[i] = most / 127);
    for (let k = 0; k < depth; k++) bytes[i * width * 4 + k] = scale === 0 ? 0 : Math.round(row[k]! / scale);
  }
  return { words, scales };
}
