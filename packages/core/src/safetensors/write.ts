import { EvenkeelError, show } from '../errors.ts';
import {
  arrayTypeOf,
  countOf,
  isUnicode,
  knownDtypes,
  MAX_HEADER_BYTES,
  METADATA,
  PREFIX_BYTES,
  type SafetensorsTensor,
} from './dtypes.ts';

function refuse(argument: string, message: string): never {
  throw new EvenkeelError('SAFETENSORS', message, { op: 'writeSafetensors', argument });
}

function checkTensor(name: string, tensor: SafetensorsTensor): void {
  const what = `tensor ${show(name)}`;
  if (name === METADATA) refuse('tensors', `a tensor cannot be named ${METADATA}`);
  if (!isUnicode(name)) refuse('tensors', `${what} has a name that is not Unicode`);
  const { dtype, shape, data } = tensor;
  const type = arrayTypeOf(dtype);
  if (type === undefined) refuse('tensors', `${what} has dtype ${show(dtype)}, expected one of ${knownDtypes()}`);
  if (!(data instanceof type))
    refuse('tensors', `${what} has ${show(data)} as data, expected ${(type as { name?: string }).name} for ${dtype}`);
  if (!Array.isArray(shape) || !shape.every((length) => Number.isSafeInteger(length) && length >= 0)) {
    refuse('tensors', `${what} has shape ${show(shape)}, expected integers >= 0`);
  }
  if (countOf(shape) !== data.length) refuse('tensors', `${what} has ${data.length} values, expected ${countOf(shape)} for ${show(shape)}`);
}

/** Wide elements first, so that each tensor begins at a multiple of its elements' size; then by name. */
function inOrder(tensors: Readonly<Record<string, SafetensorsTensor>>): [string, SafetensorsTensor][] {
  return Object.entries(tensors).sort(
    ([a, { data: x }], [b, { data: y }]) => y.BYTES_PER_ELEMENT - x.BYTES_PER_ELEMENT || (a < b ? -1 : 1),
  );
}

/** The header's JSON, padded by spaces so that the data begins at a multiple of 8. */
function headerOf(sorted: readonly [string, SafetensorsTensor][], metadata: Readonly<Record<string, string>>): Uint8Array {
  const members: string[] = [];
  const strings = Object.entries(metadata).sort(([a], [b]) => (a < b ? -1 : 1));
  if (strings.length > 0) {
    members.push(`"${METADATA}":{${strings.map(([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value)}`).join(',')}}`);
  }
  let at = 0;
  for (const [name, { dtype, shape, data }] of sorted) {
    const end = at + data.byteLength;
    members.push(`${JSON.stringify(name)}:{"dtype":"${dtype}","shape":[${shape.join(',')}],"data_offsets":[${at},${end}]}`);
    at = end;
  }
  const text = new TextEncoder().encode(`{${members.join(',')}}`);
  const header = new Uint8Array(Math.ceil(text.length / 8) * 8).fill(0x20);
  header.set(text);
  return header;
}

/**
 * Writes a safetensors file. The same tensors and metadata give the same bytes, in whatever order they come.
 *
 * @param tensors - by name; {@link fromTensors} makes them of tensors of tfjs
 * @param metadata - strings by name, kept beside the tensors
 * @throws EvenkeelError SAFETENSORS where a name, dtype, shape, number of values, or metadata does not fit the format
 *
 * @example
 * const bytes = writeSafetensors({ gamma: { dtype: 'F32', shape: [2], data: Float32Array.of(1, 2) } }, { model: 'demo' });
 */
export function writeSafetensors(
  tensors: Readonly<Record<string, SafetensorsTensor>>,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array<ArrayBuffer> {
  for (const [name, tensor] of Object.entries(tensors)) checkTensor(name, tensor);
  for (const [key, value] of Object.entries(metadata)) {
    if (typeof value !== 'string') refuse('metadata', `metadata ${show(key)} is ${show(value)}, expected a string`);
    if (!isUnicode(key) || !isUnicode(value)) refuse('metadata', `metadata ${show(key)} is not Unicode`);
  }
  const sorted = inOrder(tensors);
  const header = headerOf(sorted, metadata);
  if (header.length > MAX_HEADER_BYTES) {
    refuse('tensors', `the header would have ${header.length} bytes, expected at most ${MAX_HEADER_BYTES}`);
  }
  const length = sorted.reduce((sum, [, { data }]) => sum + data.byteLength, PREFIX_BYTES + header.length);
  const file = new Uint8Array(length);
  new DataView(file.buffer).setUint32(0, header.length, true);
  file.set(header, PREFIX_BYTES);
  let at = PREFIX_BYTES + header.length;
  for (const [, { data }] of sorted) {
    file.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), at);
    at += data.byteLength;
  }
  return file;
}
