/** The typed array that holds the values of each dtype; F16 and BF16 as their bits, BOOL as bytes of 0 or 1. */
export interface SafetensorsArrays {
  F32: Float32Array;
  F16: Uint16Array;
  BF16: Uint16Array;
  I64: BigInt64Array;
  I32: Int32Array;
  I8: Int8Array;
  U8: Uint8Array;
  BOOL: Uint8Array;
}

export type SafetensorsDtype = keyof SafetensorsArrays;

/** A tensor of a safetensors file: `data` in row-major order. */
export type SafetensorsTensor = {
  [D in SafetensorsDtype]: { readonly dtype: D; readonly shape: readonly number[]; readonly data: SafetensorsArrays[D] };
}[SafetensorsDtype];

type ArrayType = {
  readonly BYTES_PER_ELEMENT: number;
  new (buffer: ArrayBufferLike, byteOffset: number, length: number): SafetensorsTensor['data'];
};

const arrays: Readonly<Record<SafetensorsDtype, ArrayType>> = {
  F32: Float32Array,
  F16: Uint16Array,
  BF16: Uint16Array,
  I64: BigInt64Array,
  I32: Int32Array,
  I8: Int8Array,
  U8: Uint8Array,
  BOOL: Uint8Array,
};

/** The array type of a dtype; undefined for a dtype that is not read or written here. */
export function arrayTypeOf(dtype: string): ArrayType | undefined {
  return Object.hasOwn(arrays, dtype) ? arrays[dtype as SafetensorsDtype] : undefined;
}

/** The dtypes, as an error message lists them. */
export function knownDtypes(): string {
  return Object.keys(arrays).join(', ');
}

/** Number of elements; undefined where it is not a safe integer. */
export function countOf(shape: readonly number[]): number | undefined {
  if (shape.includes(0)) return 0;
  let count = 1;
  for (const length of shape) {
    count *= length;
    if (!Number.isSafeInteger(count)) return undefined;
  }
  return count;
}

/** The entry of the header that is not a tensor. */
export const METADATA = '__metadata__';

/** Bytes before the header: its length. */
export const PREFIX_BYTES = 8;

/** As in the format's description. */
export const MAX_HEADER_BYTES = 100_000_000;

/** Text that has half of a surrogate pair is not Unicode, and UTF-8 cannot hold it. */
export function isUnicode(text: string): boolean {
  return !/\p{Surrogate}/u.test(text);
}
