import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isEvenkeelError } from '../errors.ts';
import { readSafetensors, writeSafetensors, type SafetensorsTensor } from './index.ts';

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);

/** A file of a header, as text or bytes, and `size` bytes of data. */
function file(header: string | Uint8Array, size = 0): Uint8Array {
  const bytes = typeof header === 'string' ? encode(header) : header;
  const made = new Uint8Array(8 + bytes.length + size);
  new DataView(made.buffer).setBigUint64(0, BigInt(bytes.length), true);
  made.set(bytes, 8);
  for (let i = 0; i < size; i++) made[8 + bytes.length + i] = i;
  return made;
}

function refusal(bytes: Uint8Array, options?: { maxHeaderBytes: number }): string {
  try {
    readSafetensors(bytes, options);
  } catch (error) {
    if (isEvenkeelError(error, 'SAFETENSORS') && error.op === 'readSafetensors' && error.argument === 'bytes') return error.message;
    throw error;
  }
  return 'accepted';
}

function writingFails(tensors: Record<string, unknown>, metadata?: Record<string, unknown>): string {
  try {
    writeSafetensors(tensors as never, metadata as never);
  } catch (error) {
    if (isEvenkeelError(error, 'SAFETENSORS') && error.op === 'writeSafetensors') return `${error.argument}: ${error.message}`;
    throw error;
  }
  return 'written';
}

const u8 = (begin: number, end: number, shape = `[${end - begin}]`): string =>
  `{"dtype":"U8","shape":${shape},"data_offsets":[${begin},${end}]}`;

const sizes = { F32: 4, F16: 2, BF16: 2, I64: 8, I32: 4, I8: 1, U8: 1, BOOL: 1 } as const;
const arrays = {
  F32: Float32Array,
  F16: Uint16Array,
  BF16: Uint16Array,
  I64: BigInt64Array,
  I32: Int32Array,
  I8: Int8Array,
  U8: Uint8Array,
  BOOL: Uint8Array,
} as const;

const anyTensor: fc.Arbitrary<SafetensorsTensor> = fc
  .record({
    dtype: fc.constantFrom(...(Object.keys(sizes) as (keyof typeof sizes)[])),
    shape: fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 4 }),
    seed: fc.integer(),
  })
  .map(({ dtype, shape, seed }) => {
    const count = shape.reduce((product, length) => product * length, 1);
    const bytes = Uint8Array.from({ length: count * sizes[dtype] }, (_, i) => Math.imul(seed + i, 0x9e3779b1) >>> 24);
    return { dtype, shape, data: new arrays[dtype](bytes.buffer) } as SafetensorsTensor;
  });
const unicode = fc.string({ unit: 'grapheme', maxLength: 12 });
const anyName = fc.oneof(unicode, fc.constantFrom('__proto__', 'constructor', 'toString', 'a.b', '"\\\u0000'));
const anyFile = fc.record({ tensors: fc.dictionary(anyName, anyTensor, { maxKeys: 6 }), metadata: fc.dictionary(anyName, unicode) });

/** The bits of a tensor: NaNs compare equal, and 0 is not -0. */
const bits = ({ dtype, shape, data }: SafetensorsTensor): unknown => ({
  dtype,
  shape,
  bytes: Array.from(new Uint8Array(data.buffer, data.byteOffset, data.byteLength)),
});
const allBits = (tensors: Readonly<Record<string, SafetensorsTensor>>): Map<string, unknown> =>
  new Map(
    Object.entries(tensors)
      .map(([name, each]) => [name, bits(each)] as const)
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  );

const reversed = <T>(record: Record<string, T>): Record<string, T> => Object.fromEntries(Object.entries(record).reverse());

/** The answer is right if it holds every byte of data just once, and writing it anew gives the same tensors. */
function judge(bytes: Uint8Array): boolean {
  if (refusal(bytes) !== 'accepted') return false;
  const { tensors, metadata } = readSafetensors(bytes);
  const header = Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true));
  const data = Object.values(tensors).reduce((sum, { data }) => sum + data.byteLength, 0);
  expect(8 + header + data).toBe(bytes.length);
  const again = readSafetensors(writeSafetensors(tensors, metadata));
  expect(allBits(again.tensors)).toEqual(allBits(tensors));
  expect(new Map(Object.entries(again.metadata))).toEqual(new Map(Object.entries(metadata)));
  return true;
}

describe('what is written is read', () => {
  test('every dtype, shape and name, bit by bit, at any place in memory', () => {
    fc.assert(
      fc.property(anyFile, fc.integer({ min: 0, max: 9 }), ({ tensors, metadata }, shift) => {
        const written = writeSafetensors(tensors, metadata);
        const moved = new Uint8Array(written.length + shift).subarray(shift);
        moved.set(written);
        const found = readSafetensors(moved);
        expect(allBits(found.tensors)).toEqual(allBits(tensors));
        expect(new Map(Object.entries(found.metadata))).toEqual(new Map(Object.entries(metadata)));
      }),
      { numRuns: 500 },
    );
  });

  test('the bytes do not depend on the order of tensors or metadata', () => {
    fc.assert(
      fc.property(anyFile, ({ tensors, metadata }) => {
        expect(writeSafetensors(reversed(tensors), reversed(metadata))).toEqual(writeSafetensors(tensors, metadata));
      }),
    );
  });

  test('the layout is that of the format', () => {
    const bytes = writeSafetensors(
      {
        b: { dtype: 'U8', shape: [3], data: Uint8Array.of(7, 8, 9) },
        a: { dtype: 'F32', shape: [1, 1], data: Float32Array.of(1) },
      },
      { who: 'me' },
    );
    const json =
      '{"__metadata__":{"who":"me"},"a":{"dtype":"F32","shape":[1,1],"data_offsets":[0,4]},"b":{"dtype":"U8","shape":[3],"data_offsets":[4,7]}}';
    const padded = json.padEnd(Math.ceil(json.length / 8) * 8, ' ');
    expect(bytes).toEqual(Uint8Array.from([padded.length, 0, 0, 0, 0, 0, 0, 0, ...encode(padded), 0, 0, 0x80, 0x3f, 7, 8, 9]));
    expect(Object.keys(readSafetensors(bytes).tensors)).toEqual(['a', 'b']);
  });

  test('an empty file, a scalar, and a tensor without elements', () => {
    expect(readSafetensors(writeSafetensors({}))).toEqual({ tensors: Object.create(null), metadata: Object.create(null) });
    const tensors: Record<string, SafetensorsTensor> = {
      scalar: { dtype: 'I64', shape: [], data: BigInt64Array.of(-1n) },
      empty: { dtype: 'F32', shape: [0, 5], data: new Float32Array(0) },
      byte: { dtype: 'I8', shape: [1], data: Int8Array.of(-128) },
    };
    expect(allBits(readSafetensors(writeSafetensors(tensors)).tensors)).toEqual(allBits(tensors));
  });

  test('aligned data is a view made once, other data a copy of its own', () => {
    const written = writeSafetensors({ x: { dtype: 'F32', shape: [2], data: Float32Array.of(1, 2) } });
    const { x } = readSafetensors(written).tensors;
    expect(x!.data.buffer).toBe(written.buffer);
    expect(x!.data).toBe(x!.data);
    const odd = new Uint8Array(written.length + 1).subarray(1);
    odd.set(written);
    const copied = readSafetensors(odd).tensors['x']!.data;
    expect(copied).toEqual(Float32Array.of(1, 2));
    expect(copied.buffer.byteLength).toBe(8);
    expect(readSafetensors(written.buffer).tensors['x']!.data).toEqual(x!.data);
  });

  test('names that mean something to objects are names here, and nothing gets into prototypes', () => {
    const hostile = file(`{"__proto__":${u8(0, 1)},"constructor":${u8(1, 2)},"__metadata__":{"__proto__":"x","toString":"y"}}`, 2);
    const { tensors, metadata } = readSafetensors(hostile);
    expect(Object.keys(tensors)).toEqual(['__proto__', 'constructor']);
    expect(tensors['__proto__']!.data).toEqual(Uint8Array.of(0));
    expect(Object.entries(metadata)).toEqual([
      ['__proto__', 'x'],
      ['toString', 'y'],
    ]);
    expect(Object.getPrototypeOf(tensors)).toBe(null);
    expect(Object.getPrototypeOf(metadata)).toBe(null);
    expect(({} as Record<string, unknown>)['dtype']).toBeUndefined();
    const again = readSafetensors(writeSafetensors(tensors, metadata));
    expect(allBits(again.tensors)).toEqual(allBits(tensors));
  });

  test('JSON as others write it: spaces, escapes, fields in another order', () => {
    const header = `{ "a\\u0062\\"" :\n{ "data_offsets" : [ 0 , 2 ] , "shape" : [ 2 ] ,\t"dtype" : "U8" } , "empty":${u8(1, 1, '[3,0]').replace('[1,1]', '[2,2]')} }   `;
    const { tensors } = readSafetensors(file(header, 2));
    expect(Object.keys(tensors)).toEqual(['ab"', 'empty']);
    expect(tensors['ab"']!.data).toEqual(Uint8Array.of(0, 1));
  });
});

describe('refuses', () => {
  const long = Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0x80, 0x7b, 0x7d);
  test.each([
    ['nothing', new Uint8Array(0), 'the file ends after 0 bytes, expected 8'],
    ['half a length', new Uint8Array(7), 'the file ends after 7 bytes'],
    ['a header of 2^63 bytes', long, 'the header says it has 9223372036854775808 bytes, expected at most 100000000'],
    ['a header longer than the file', file('{}').subarray(0, 9), 'the file ends within its header of 2 bytes, after 1'],
    ['an empty header', file(''), "the header does not begin with '{'"],
    ['a header that begins with a space', file(' {}'), "the header does not begin with '{'"],
    ['a header that is not UTF-8', file(Uint8Array.of(0x7b, 0x22, 0xff, 0x22)), 'the header is not UTF-8'],
    ['a header that is an array', file('[]'), "the header does not begin with '{'"],
    ['a header that ends early', file('{"a":'), 'at character 5, has its end, expected the object tensor "a"'],
    ['text after the header', file('{} {}'), 'at character 3, has "{}", expected nothing but spaces'],
    ['a comma at the end', file(`{"a":${u8(0, 0)},}`), 'expected a key of the header'],
    ['no colon', file('{"a" 1}'), 'has "1}", expected \':\''],
    ['no comma', file(`{"a":${u8(0, 0)}"b"`), "expected ',' or '}'"],
    ['a tensor twice', file(`{"a":${u8(0, 1)},"\\u0061":${u8(1, 2)}}`, 2), 'the header has two entries of the name "a"'],
    [
      'a field twice',
      file('{"a":{"dtype":"U8","dtype":"I8","shape":[0],"data_offsets":[0,0]}}'),
      'tensor "a" has two entries of the name "dtype"',
    ],
    ['metadata twice', file('{"__metadata__":{},"__metadata__":{}}'), 'the header has two entries of the name "__metadata__"'],
    ['a metadata key twice', file('{"__metadata__":{"k":"1","k":"2"}}'), '__metadata__ has two entries of the name "k"'],
    ['metadata that is a number', file('{"__metadata__":{"k":1}}'), 'expected a string, the value of "k" in __metadata__'],
    ['metadata that is an object', file('{"__metadata__":{"k":{}}}'), 'expected a string, the value of "k" in __metadata__'],
    ['metadata that is no object', file('{"__metadata__":"k"}'), 'expected the object __metadata__'],
    ['a tensor that is no object', file('{"a":[]}'), 'expected the object tensor "a"'],
    ['no dtype', file('{"a":{"shape":[0],"data_offsets":[0,0]}}'), 'tensor "a" has no dtype'],
    ['no shape', file('{"a":{"dtype":"U8","data_offsets":[0,0]}}'), 'tensor "a" has no shape'],
    ['no offsets', file('{"a":{"dtype":"U8","shape":[0]}}'), 'tensor "a" has no data_offsets'],
    ['another field', file('{"a":{"dtype":"U8","kind":1}}'), 'tensor "a" has a field "kind", expected dtype, shape and data_offsets'],
    ['three offsets', file(`{"a":${u8(0, 0).replace('[0,0]', '[0,0,0]')}}`), 'tensor "a" has 3 data_offsets, expected 2'],
    ['another dtype', file(`{"a":${u8(0, 8, '[1]').replace('U8', 'F64')}}`, 8), 'has dtype "F64", expected one of F32, F16'],
    ['a dtype of an object', file(`{"a":${u8(0, 1).replace('U8', 'constructor')}}`, 1), 'has dtype "constructor"'],
    ['a dtype that is no string', file('{"a":{"dtype":1}}'), 'expected the dtype of tensor "a", a string'],
    ['a negative length', file(`{"a":${u8(0, 1, '[-1]')}}`, 1), 'has "-1],\\"data_of", expected an integer from 0 to 2^53'],
    ['a fraction', file(`{"a":${u8(0, 1, '[1.0]')}}`, 1), 'expected an integer from 0 to 2^53 in the shape of tensor "a"'],
    ['an exponent', file(`{"a":${u8(0, 1, '[1e0]')}}`, 1), 'expected an integer from 0 to 2^53'],
    ['a leading zero', file(`{"a":${u8(0, 1, '[01]')}}`, 1), 'expected an integer from 0 to 2^53'],
    ['2^53', file(`{"a":${u8(0, 1, '[9007199254740992]')}}`, 1), 'expected an integer from 0 to 2^53'],
    ['a length of a thousand digits', file(`{"a":${u8(0, 1, `[${'9'.repeat(1000)}]`)}}`, 1), 'expected an integer from 0 to 2^53'],
    ['a shape whose product overflows', file(`{"a":${u8(0, 1, '[4294967296,4294967296]')}}`, 1), 'which is more than a file can hold'],
    [
      'bytes that overflow',
      file(`{"a":${u8(0, 1, '[9007199254740991]').replace('U8', 'F32')}}`, 1),
      'tensor "a" has shape [9007199254740991], which is more than a file can hold',
    ],
    ['too few bytes for the shape', file(`{"a":${u8(0, 3, '[4]')}}`, 3), 'tensor "a" has 3 bytes, expected 4 for U8 [4]'],
    ['too many bytes for the shape', file(`{"a":${u8(0, 3, '[]')}}`, 3), 'tensor "a" has 3 bytes, expected 1 for U8 []'],
    [
      'offsets that go backwards',
      file(`{"a":${u8(0, 0).replace('[0,0]', '[1,0]')}}`, 1),
      'has data_offsets [1, 0], which end before they begin',
    ],
    ['offsets beyond the file', file(`{"a":${u8(0, 9)}}`, 8), 'has data_offsets [0, 9], the file has only 8 bytes of data'],
    ['a gap at the start', file(`{"a":${u8(1, 3)}}`, 3), '1 bytes between the header and tensor "a" belong to no tensor'],
    ['a gap', file(`{"b":${u8(3, 4)},"a":${u8(0, 2)}}`, 4), '1 bytes between tensor "a" and tensor "b" belong to no tensor'],
    ['an overlap', file(`{"b":${u8(1, 3)},"a":${u8(0, 2)}}`, 3), 'tensor "b" begins at byte 1 of the data, within tensor "a"'],
    [
      'two tensors in one place',
      file(`{"b":${u8(0, 2)},"a":${u8(0, 2)}}`, 2),
      'tensor "a" begins at byte 0 of the data, within tensor "b"',
    ],
    ['an empty tensor within another', file(`{"a":${u8(0, 2)},"e":${u8(1, 1)}}`, 2), 'tensor "e" begins at byte 1'],
    ['bytes after the last tensor', file(`{"a":${u8(0, 2)}}`, 3), '1 bytes after tensor "a" belong to no tensor'],
    ['bytes without a tensor', file('{}', 3), '3 bytes after the header belong to no tensor'],
    ['half a surrogate pair', file(`{"\\ud800":${u8(0, 0)}}`), 'which is not Unicode'],
    ['a bad escape', file('{"\\x":1}'), 'which is not a string of JSON'],
    ['a control character in a string', file('{"\n":1}'), 'which is not a string of JSON'],
    ['a string without end', file('{"abc\\"'), 'which is not a string of JSON'],
  ])('%s', (_, bytes, message) => {
    expect(refusal(bytes)).toContain(message);
  });

  test('a header above the bound that the caller sets', () => {
    const bytes = file('{"__metadata__":{}}');
    expect(refusal(bytes, { maxHeaderBytes: 19 })).toBe('accepted');
    expect(refusal(bytes, { maxHeaderBytes: 18 })).toContain('the header says it has 19 bytes, expected at most 18');
  });

  test('every file that is cut short, wherever', () => {
    const whole = writeSafetensors({ a: { dtype: 'F32', shape: [3], data: Float32Array.of(1, 2, 3) } }, { k: 'v' });
    for (let length = 0; length < whole.length; length++) expect(refusal(whole.slice(0, length)), `${length} bytes`).not.toBe('accepted');
  });

  test('strings and nesting of any length, without running out of stack', () => {
    expect(refusal(file(`{"${'a'.repeat(5_000_000)}":1}`))).toContain('expected the object tensor "aaa');
    expect(refusal(file('{"a":'.repeat(1_000_000)))).toContain('tensor "a" has a field "a"');
    expect(refusal(file(`{"a":${'['.repeat(1_000_000)}`))).toContain('expected the object tensor "a"');
  });

  test('what are no bytes', () => {
    expect(() => readSafetensors('{}' as never)).toThrow('readSafetensors: bytes is "{}", expected a Uint8Array or ArrayBuffer');
    expect(() => readSafetensors(new Uint8Array(8), { maxHeaderBytes: 0 })).toThrow('maxHeaderBytes is 0, expected an integer > 0');
  });
});

describe('whatever the bytes are, there is a clear error or a right answer', () => {
  test('bytes at random, with and without a right length before them', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => void judge(bytes)),
      { numRuns: 2000 },
    );
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => void judge(file(Uint8Array.of(0x7b, ...bytes), 3))),
      {
        numRuns: 2000,
      },
    );
  });

  test('headers of tokens in any order', () => {
    const simple = '{ } [ ] , : 0 1 -1 1e9 18446744073709551616 null true "" "a" "dtype" "shape" "data_offsets" "U8" "__metadata__" " \\';
    const token = fc.constantFrom(...simple.split(' '), ' ', '"__proto__"', u8(0, 1), u8(1, 2), `"a":${u8(0, 2)}`);
    fc.assert(
      fc.property(fc.array(token, { maxLength: 20 }), fc.integer({ min: 0, max: 4 }), (tokens, size) => {
        judge(file(`{${tokens.join('')}}`, size));
      }),
      { numRuns: 5000 },
    );
  });

  test('good files with bytes changed, cut out, or put in', () => {
    const edit = fc.record({ at: fc.nat(), remove: fc.integer({ min: 0, max: 3 }), insert: fc.uint8Array({ maxLength: 3 }) });
    let accepted = 0;
    fc.assert(
      fc.property(anyFile, fc.array(edit, { minLength: 1, maxLength: 3 }), ({ tensors, metadata }, edits) => {
        const bytes = Array.from(writeSafetensors(tensors, metadata));
        for (const { at, remove, insert } of edits) bytes.splice(at % bytes.length, remove, ...insert);
        if (judge(Uint8Array.from(bytes))) accepted++;
      }),
      { numRuns: 3000 },
    );
    expect(accepted).toBeGreaterThan(10);
  });

  test('good files with one digit or letter of the header exchanged', () => {
    fc.assert(
      fc.property(anyFile, fc.nat(), fc.constantFrom(...'0123456789{}[],:"\\eE.-+ FUIB_'), ({ tensors, metadata }, at, character) => {
        const bytes = writeSafetensors(tensors, metadata);
        bytes[8 + (at % new DataView(bytes.buffer).getUint32(0, true))] = character.charCodeAt(0);
        judge(bytes);
      }),
      { numRuns: 3000 },
    );
  });
});

describe('writing refuses', () => {
  const fine = { dtype: 'U8', shape: [1], data: Uint8Array.of(1) };
  test.each([
    ['another dtype', { x: { ...fine, dtype: 'F64' } }, 'tensors: writeSafetensors: tensor "x" has dtype "F64", expected one of F32'],
    ['data of another type', { x: { ...fine, dtype: 'F32' } }, 'tensor "x" has Uint8Array as data, expected Float32Array for F32'],
    ['too few values', { x: { ...fine, shape: [2] } }, 'tensor "x" has 1 values, expected 2 for [2]'],
    ['a shape of fractions', { x: { ...fine, shape: [0.5, 2] } }, 'tensor "x" has shape [0.5, 2], expected integers >= 0'],
    ['a shape that is none', { x: { ...fine, shape: '1' } }, 'tensor "x" has shape "1", expected integers >= 0'],
    ['the name of the metadata', { __metadata__: fine }, 'a tensor cannot be named __metadata__'],
    ['half a surrogate pair', { '\ud800': fine }, 'has a name that is not Unicode'],
  ])('%s', (_, tensors, message) => {
    expect(writingFails(tensors)).toContain(message);
  });

  test('metadata that are no strings', () => {
    expect(writingFails({ x: fine }, { step: 1 })).toBe('metadata: writeSafetensors: metadata "step" is 1, expected a string');
    expect(writingFails({ x: fine }, { step: '\udc00' })).toBe('metadata: writeSafetensors: metadata "step" is not Unicode');
  });
});
