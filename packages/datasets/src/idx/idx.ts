import { EvenkeelError } from '@evenkeel/core';

/** What an IDX file holds. */
export type IdxDtype = 'uint8' | 'int8' | 'int16' | 'int32' | 'float32' | 'float64';

const FORMATS = {
  0x08: { dtype: 'uint8', bytesPerElement: 1 },
  0x09: { dtype: 'int8', bytesPerElement: 1 },
  0x0b: { dtype: 'int16', bytesPerElement: 2 },
  0x0c: { dtype: 'int32', bytesPerElement: 4 },
  0x0d: { dtype: 'float32', bytesPerElement: 4 },
  0x0e: { dtype: 'float64', bytesPerElement: 8 },
} as const satisfies Record<number, { dtype: IdxDtype; bytesPerElement: number }>;

export interface IdxHeader {
  readonly dtype: IdxDtype;
  readonly shape: readonly number[];
  readonly bytesPerElement: number;
  /** Where the values begin, in bytes. */
  readonly dataOffset: number;
  /** Bytes of the whole file, as its header says. */
  readonly byteLength: number;
}

export type IdxArray = Uint8Array | Int8Array | Int16Array | Int32Array | Float32Array | Float64Array;

export interface Idx {
  readonly dtype: IdxDtype;
  readonly shape: readonly number[];
  /** In row-major order. Of one-byte values a view into the file's bytes, else a copy in the machine's byte order. */
  readonly data: IdxArray;
}

/** Four bytes of the format and its number of axes, then the axes: no more than this. */
export const MAX_HEADER_BYTES = 4 + 255 * 4;

function refuse(message: string): never {
  throw new EvenkeelError('INVALID_ARGUMENT', `bytes ${message}`, { op: 'parseIdx', argument: 'bytes' });
}

/** Elements of a shape; undefined where no file can hold them. */
function countOf(shape: readonly number[]): number | undefined {
  if (shape.includes(0)) return 0;
  const count = shape.reduce((product, length) => product * length, 1);
  return Number.isSafeInteger(count * 8) ? count : undefined;
}

/**
 * Reads the header of an IDX file, of which the first {@link MAX_HEADER_BYTES} bytes are enough.
 *
 * @throws EvenkeelError INVALID_ARGUMENT where it is not one
 */
export function parseIdxHeader(bytes: Uint8Array): IdxHeader {
  if (bytes.length < 4) refuse(`end after ${bytes.length}, expected the 4 bytes that an IDX file begins with`);
  const [first, second, code, rank] = bytes as unknown as [number, number, number, number];
  if (first !== 0 || second !== 0) refuse(`begin with ${first}, ${second}, expected 0, 0 as in an IDX file (is it still compressed?)`);
  const format = FORMATS[code as keyof typeof FORMATS];
  if (format === undefined) {
    const known = Object.keys(FORMATS).map((each) => `0x${Number(each).toString(16)}`);
    refuse(`name the element type 0x${code.toString(16)}, expected one of ${known.join(', ')}`);
  }
  if (rank === 0) refuse('say that there are 0 axes, expected at least 1');
  const dataOffset = 4 + 4 * rank;
  if (bytes.length < dataOffset) refuse(`end after ${bytes.length}, within the header of ${dataOffset} for ${rank} axes`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const shape = Array.from({ length: rank }, (_, axis) => view.getUint32(4 + 4 * axis));
  const count = countOf(shape);
  if (count === undefined) refuse(`say that the shape is [${shape.join(', ')}], which is more than a file can hold`);
  return { ...format, shape, dataOffset, byteLength: dataOffset + count * format.bytesPerElement };
}

/** Values of more than one byte, which an IDX file has most significant byte first. */
function convert(dtype: IdxDtype, view: DataView, count: number): IdxArray {
  switch (dtype) {
    case 'int16':
      return Int16Array.from({ length: count }, (_, i) => view.getInt16(2 * i));
    case 'int32':
      return Int32Array.from({ length: count }, (_, i) => view.getInt32(4 * i));
    case 'float32':
      return Float32Array.from({ length: count }, (_, i) => view.getFloat32(4 * i));
    default:
      return Float64Array.from({ length: count }, (_, i) => view.getFloat64(8 * i));
  }
}

/**
 * Reads an IDX file, the format of MNIST and its kin: a shape and an array of numbers. Works on bytes, wherever they came from.
 * The array is never larger than the bytes that were given.
 *
 * @param bytes - the whole file, uncompressed
 * @throws EvenkeelError INVALID_ARGUMENT where it is not an IDX file, is cut short, or goes on after its end
 *
 * @example
 * const { shape, data } = parseIdx(new Uint8Array(await (await fetch('t10k-labels-idx1-ubyte')).arrayBuffer())); // [10000], Uint8Array
 */
export function parseIdx(bytes: Uint8Array | ArrayBuffer): Idx {
  const file = bytes instanceof ArrayBuffer ? new Uint8Array(bytes) : bytes;
  if (!(file instanceof Uint8Array)) refuse('are no Uint8Array or ArrayBuffer');
  const { dtype, shape, bytesPerElement, dataOffset, byteLength } = parseIdxHeader(file);
  if (file.length !== byteLength) {
    refuse(`are ${file.length}, expected ${byteLength} for ${dtype} [${shape.join(', ')}] and a header of ${dataOffset}`);
  }
  const values = file.subarray(dataOffset);
  if (dtype === 'uint8') return { dtype, shape, data: values };
  if (dtype === 'int8') return { dtype, shape, data: new Int8Array(values.buffer, values.byteOffset, values.length) };
  const view = new DataView(values.buffer, values.byteOffset, values.byteLength);
  return { dtype, shape, data: convert(dtype, view, values.length / bytesPerElement) };
}
