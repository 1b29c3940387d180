import { expect, show } from '../errors.ts';
import {
  arrayTypeOf,
  countOf,
  knownDtypes,
  MAX_HEADER_BYTES,
  PREFIX_BYTES,
  type SafetensorsDtype,
  type SafetensorsTensor,
} from './dtypes.ts';
import { parseHeader, refuse, type Entry, type Header } from './header.ts';

export interface ReadSafetensorsOptions {
  /** A header that says it is longer is refused before it is read. Default 100,000,000, as in the format's description. */
  readonly maxHeaderBytes?: number;
}

/** A safetensors file. Both objects have no prototype, so that any name is just a name. */
export interface Safetensors {
  /** In the order of their bytes. */
  readonly tensors: Readonly<Record<string, SafetensorsTensor>>;
  readonly metadata: Readonly<Record<string, string>>;
}

function headerLength(bytes: Uint8Array, limit: number): number {
  if (bytes.length < PREFIX_BYTES) refuse(`the file ends after ${bytes.length} bytes, expected ${PREFIX_BYTES} with the header's length`);
  const length = new DataView(bytes.buffer, bytes.byteOffset, PREFIX_BYTES).getBigUint64(0, true);
  if (length > BigInt(limit)) refuse(`the header says it has ${length} bytes, expected at most ${limit}`);
  const available = bytes.length - PREFIX_BYTES;
  if (length > BigInt(available)) refuse(`the file ends within its header of ${length} bytes, after ${available}`);
  return Number(length);
}

function readHeader(bytes: Uint8Array, limit: number): { header: Header; dataOffset: number } {
  const dataOffset = PREFIX_BYTES + headerLength(bytes, limit);
  if (bytes[PREFIX_BYTES] !== 0x7b || dataOffset === PREFIX_BYTES) refuse("the header does not begin with '{'");
  let text: string;
  try {
    // A copy, since the decoder takes no shared memory. A byte order mark would be kept, and refused.
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes.slice(PREFIX_BYTES, dataOffset));
  } catch {
    refuse('the header is not UTF-8');
  }
  return { header: parseHeader(text), dataOffset };
}

/** Throws unless an entry fits its dtype and shape. */
function checkEntry(name: string, { dtype, shape, begin, end }: Entry, available: number): void {
  const what = `tensor ${show(name)}`;
  const type = arrayTypeOf(dtype);
  if (type === undefined) refuse(`${what} has dtype ${show(dtype)}, expected one of ${knownDtypes()}`);
  const count = countOf(shape);
  const size = count === undefined ? Infinity : count * type.BYTES_PER_ELEMENT;
  if (!Number.isSafeInteger(size)) refuse(`${what} has shape ${show(shape)}, which is more than a file can hold`);
  if (begin > end) refuse(`${what} has data_offsets [${begin}, ${end}], which end before they begin`);
  if (end > available) refuse(`${what} has data_offsets [${begin}, ${end}], the file has only ${available} bytes of data`);
  if (end - begin !== size) refuse(`${what} has ${end - begin} bytes, expected ${size} for ${dtype} ${show(shape)}`);
}

/** Entries in the order of their bytes. Throws unless they follow each other without gap or overlap and fill the file. */
function inOrder(entries: ReadonlyMap<string, Entry>, available: number): [string, Entry][] {
  const sorted = [...entries].sort(([, a], [, b]) => a.begin - b.begin || a.end - b.end);
  let at = 0;
  let before = 'the header';
  for (const [name, { begin, end }] of sorted) {
    const what = `tensor ${show(name)}`;
    if (begin < at) refuse(`${what} begins at byte ${begin} of the data, within ${before}, which ends at ${at}`);
    if (begin > at) refuse(`${begin - at} bytes between ${before} and ${what} belong to no tensor`);
    at = end;
    before = what;
  }
  if (at < available) refuse(`${available - at} bytes after ${before} belong to no tensor`);
  return sorted;
}

function makeTensor(file: Uint8Array, { dtype, shape, begin, end }: Entry, dataOffset: number): SafetensorsTensor {
  const type = arrayTypeOf(dtype)!;
  let data: SafetensorsTensor['data'] | undefined;
  return {
    dtype: dtype as SafetensorsDtype,
    shape,
    get data() {
      if (data !== undefined) return data;
      const byteOffset = file.byteOffset + dataOffset + begin;
      const length = (end - begin) / type.BYTES_PER_ELEMENT;
      if (byteOffset % type.BYTES_PER_ELEMENT === 0) return (data = new type(file.buffer, byteOffset, length));
      return (data = new type(file.slice(dataOffset + begin, dataOffset + end).buffer, 0, length));
    },
  } as SafetensorsTensor;
}

/**
 * Reads a safetensors file. All of it is checked before anything is returned. Nothing is copied: a tensor's `data` is a view into `bytes`, made when it is first asked for
 * (a copy of that tensor alone where its bytes lie at an odd place).
 *
 * @param bytes - the whole file
 * @throws EvenkeelError SAFETENSORS where the file breaks the format, saying what and where: cut short, too long, gaps or overlaps, a
 * shape that does not fit its bytes, a dtype other than F32, F16, BF16, I64, I32, I8, U8 and BOOL, two tensors of one name, and so on;
 * INVALID_ARGUMENT where `bytes` are no bytes
 *
 * @example
 * const { tensors, metadata } = readSafetensors(writeSafetensors({ gamma: { dtype: 'F32', shape: [2], data: Float32Array.of(1, 2) } }));
 * tensors.gamma.data; // Float32Array [1, 2]
 */
export function readSafetensors(bytes: Uint8Array | ArrayBuffer, options: ReadSafetensorsOptions = {}): Safetensors {
  const { maxHeaderBytes = MAX_HEADER_BYTES } = options;
  expect(Number.isSafeInteger(maxHeaderBytes) && maxHeaderBytes > 0, 'readSafetensors', 'maxHeaderBytes', 'an integer > 0', maxHeaderBytes);
  const file = bytes instanceof ArrayBuffer ? new Uint8Array(bytes) : bytes;
  expect(file instanceof Uint8Array, 'readSafetensors', 'bytes', 'a Uint8Array or ArrayBuffer', bytes);
  const { header, dataOffset } = readHeader(file, maxHeaderBytes);
  const available = file.length - dataOffset;
  for (const [name, entry] of header.entries) checkEntry(name, entry, available);
  const tensors = Object.create(null) as Record<string, SafetensorsTensor>;
  for (const [name, entry] of inOrder(header.entries, available)) tensors[name] = makeTensor(file, entry, dataOffset);
  const metadata = Object.create(null) as Record<string, string>;
  for (const [key, value] of header.metadata) metadata[key] = value;
  return { tensors, metadata };
}
