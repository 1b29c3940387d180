import { isEvenkeelError } from '@evenkeel/core';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseIdx, type IdxArray, type IdxDtype } from './idx.ts';

const codes: Record<IdxDtype, { code: number; bytes: number; put(view: DataView, at: number, value: number): void }> = {
  uint8: { code: 0x08, bytes: 1, put: (view, at, value) => view.setUint8(at, value) },
  int8: { code: 0x09, bytes: 1, put: (view, at, value) => view.setInt8(at, value) },
  int16: { code: 0x0b, bytes: 2, put: (view, at, value) => view.setInt16(at, value) },
  int32: { code: 0x0c, bytes: 4, put: (view, at, value) => view.setInt32(at, value) },
  float32: { code: 0x0d, bytes: 4, put: (view, at, value) => view.setFloat32(at, value) },
  float64: { code: 0x0e, bytes: 8, put: (view, at, value) => view.setFloat64(at, value) },
};

/** An IDX file, at an odd place in its buffer, as a part of a larger file would be. */
function write(dtype: IdxDtype, shape: readonly number[], values: ArrayLike<number>): Uint8Array {
  const { code, bytes, put } = codes[dtype];
  const head = 4 + 4 * shape.length;
  const file = new Uint8Array(head + values.length * bytes + 1).subarray(1);
  file.set([0, 0, code, shape.length]);
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  shape.forEach((length, axis) => view.setUint32(4 + 4 * axis, length));
  Array.from(values).forEach((value, i) => put(view, head + i * bytes, value));
  return file;
}

function refusal(bytes: Uint8Array): string {
  try {
    parseIdx(bytes);
  } catch (error) {
    if (isEvenkeelError(error, 'INVALID_ARGUMENT') && error.op === 'parseIdx' && error.argument === 'bytes') return error.message;
    throw error;
  }
  return 'accepted';
}

const arrays: Record<IdxDtype, { from(values: number[]): IdxArray }> = {
  uint8: Uint8Array,
  int8: Int8Array,
  int16: Int16Array,
  int32: Int32Array,
  float32: Float32Array,
  float64: Float64Array,
};

describe('parseIdx', () => {
  test.each(Object.keys(codes) as IdxDtype[])('reads %s of any shape as it was written', (dtype) => {
    const shapes = fc.array(fc.integer({ min: 0, max: 4 }), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(shapes, fc.integer(), (shape, seed) => {
        const count = shape.reduce((product, length) => product * length, 1);
        const values = arrays[dtype].from(Array.from({ length: count }, (_, i) => Math.imul(seed ^ i, 0x9e3779b1) / (i + 1)));
        const found = parseIdx(write(dtype, shape, values));
        expect(found.dtype).toBe(dtype);
        expect(found.shape).toEqual(shape);
        expect(found.data).toEqual(values);
      }),
    );
  });

  test('of one-byte values the data is a view, not a copy', () => {
    const file = write('uint8', [3], [1, 2, 3]);
    expect(parseIdx(file).data.buffer).toBe(file.buffer);
    expect(Array.from(parseIdx(file.slice().buffer).data)).toEqual([1, 2, 3]);
  });

  test.each([
    ['nothing', [], 'end after 0, expected the 4 bytes'],
    ['a gzip file', [0x1f, 0x8b, 8, 0], 'begin with 31, 139, expected 0, 0 as in an IDX file (is it still compressed?)'],
    ['an unknown element type', [0, 0, 0x0a, 1], 'name the element type 0xa, expected one of 0x8, 0x9, 0xb, 0xc, 0xd, 0xe'],
    ['no axes', [0, 0, 8, 0], 'say that there are 0 axes, expected at least 1'],
    ['half a header', [0, 0, 8, 2, 0, 0, 0, 1], 'end after 8, within the header of 12 for 2 axes'],
    ['too few values', [0, 0, 8, 1, 0, 0, 0, 3, 1, 2], 'are 10, expected 11 for uint8 [3] and a header of 8'],
    ['bytes after the end', [0, 0, 8, 1, 0, 0, 0, 1, 1, 2], 'are 10, expected 9 for uint8 [1]'],
    ['a shape beyond every memory', [0, 0, 8, 2, 255, 255, 255, 255, 255, 255, 255, 255], 'which is more than a file can hold'],
    ['a shape beyond this file', [0, 0, 14, 1, 255, 255, 255, 255], 'are 8, expected 34359738368 for float64 [4294967295]'],
  ])('refuses %s', (_, bytes, message) => {
    expect(refusal(Uint8Array.from(bytes))).toContain(message);
  });

  test('refuses what are no bytes', () => {
    expect(refusal('0801' as never)).toContain('are no Uint8Array or ArrayBuffer');
  });

  test('bytes at random, or with a header made to mislead, are refused or are a file of just that size', () => {
    const header = fc
      .tuple(fc.constantFrom(8, 9, 11, 12, 13, 14, 10), fc.integer({ min: 0, max: 255 }), fc.uint8Array({ maxLength: 64 }))
      .map(([code, rank, rest]) => Uint8Array.from([0, 0, code, rank, ...rest]));
    const plausible = fc
      .tuple(fc.constantFrom(8, 11, 12), fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 1, maxLength: 3 }), fc.uint8Array())
      .map(([code, shape, rest]) => Uint8Array.from([0, 0, code, shape.length, ...shape.flatMap((length) => [0, 0, 0, length]), ...rest]));
    let accepted = 0;
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 64 }), header, plausible), (bytes) => {
        if (refusal(bytes) !== 'accepted') return;
        accepted++;
        const { dtype, shape, data } = parseIdx(bytes);
        expect(data.length).toBe(shape.reduce((product, length) => product * length, 1));
        expect(data.byteLength + 4 + 4 * shape.length).toBe(bytes.length);
        expect(write(dtype, shape, data)).toEqual(bytes);
      }),
      { numRuns: 5000 },
    );
    expect(accepted).toBeGreaterThan(5);
  });
});
