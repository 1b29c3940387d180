// Items of an index, up to some thousands: their vectors as a tensor, and on the host what the correction needs of each.
import { tensor1d, tensor2d, type Tensor1D, type Tensor2D } from '@tensorflow/tfjs-core';
import { encodeItems } from '../search/items.ts';

/** A segment that is full; fuller ones are cut. 2^14 vectors of 512 floats are 32 MB. */
export const SEGMENT = 16384;

/** Vectors on the host, as they are stored. */
export interface Packed {
  readonly rows: number;
  /** Floats, or int8 codes four a word. */
  readonly words: Float32Array | Int32Array;
  readonly scales: Float32Array | undefined;
}

export interface Item {
  readonly id: string;
  readonly metadata: unknown;
}

/** What is known of each item besides its vector. A removed item is undefined. */
export interface Segment {
  readonly vectors: Tensor2D;
  readonly scales: Tensor1D | undefined;
  readonly items: (Item | undefined)[];
  /** Log sums of the query bank and the gallery bank; NaN before there is a bank. */
  readonly queryZ: Float64Array;
  readonly galleryZ: Float64Array;
  /** Squared lengths, for Euclidean distances. */
  readonly squares: Float32Array | undefined;
  /** Bound on what the log sums are off by. */
  error: number;
  /** Offsets of the last search, while nothing has changed. */
  offsets: Tensor1D | undefined;
}

export function packRows(rows: Float32Array, dimensions: number, storage: 'float32' | 'int8'): Packed {
  if (storage === 'float32') return { rows: rows.length / dimensions, words: rows, scales: undefined };
  return { rows: rows.length / dimensions, ...encodeItems(rows, dimensions) };
}

/** The rows of a packed matrix as floats. */
export function unpackRows({ rows, words, scales }: Packed, dimensions: number): Float32Array {
  if (scales === undefined) return words as Float32Array;
  const bytes = new Int8Array(words.buffer, words.byteOffset, words.byteLength);
  const width = bytes.length / rows;
  return Float32Array.from({ length: rows * dimensions }, (_, i) => {
    const row = Math.floor(i / dimensions);
    return bytes[row * width + (i % dimensions)]! * scales[row]!;
  });
}

/** Rows `from` to `to` of a packed matrix, as views. */
export function cutRows({ rows, words, scales }: Packed, from: number, to: number): Packed {
  const width = words.length / rows;
  return { rows: to - from, words: words.subarray(from * width, to * width), scales: scales?.subarray(from, to) };
}

/** Those rows of several packed matrices that are kept, one after another. */
export function joinRows(parts: readonly { packed: Packed; keep: readonly number[] }[]): Packed {
  const rows = parts.reduce((sum, { keep }) => sum + keep.length, 0);
  const { words: first, scales, rows: firstRows } = parts[0]!.packed;
  const width = first.length / firstRows;
  const words = first instanceof Float32Array ? new Float32Array(rows * width) : new Int32Array(rows * width);
  const factors = scales === undefined ? undefined : new Float32Array(rows);
  let at = 0;
  for (const { packed, keep } of parts) {
    for (const row of keep) {
      words.set(packed.words.subarray(row * width, (row + 1) * width) as Float32Array & Int32Array, at * width);
      if (factors !== undefined) factors[at] = packed.scales![row]!;
      at++;
    }
  }
  return { rows, words, scales: factors };
}

export function upload({ rows, words, scales }: Packed): Pick<Segment, 'vectors' | 'scales'> {
  // A copy: on cpu a tensor made of an array is that array.
  const dtype = words instanceof Float32Array ? 'float32' : 'int32';
  return { vectors: tensor2d(words.slice(), [rows, words.length / rows], dtype), scales: scales && tensor1d(scales.slice()) };
}

export async function download({ vectors, scales }: Pick<Segment, 'vectors' | 'scales'>): Promise<Packed> {
  const words = (await vectors.data()) as Float32Array | Int32Array;
  return { rows: vectors.shape[0], words, scales: scales && ((await scales.data()) as Float32Array) };
}

export function disposeSegment({ vectors, scales, offsets }: Segment): void {
  for (const each of [vectors, scales, offsets]) each?.dispose();
}

/** Forgets what the last search subtracted. */
export function change(segment: Segment): void {
  segment.offsets?.dispose();
  segment.offsets = undefined;
}
