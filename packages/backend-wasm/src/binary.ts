// What the runner reads and changes in a WASM binary before it lets it near the heap of TensorFlow.js.

const IMPORT = 2;
const MEMORY = 5;
const START = 8;
const DATA = 11;
const MEMORY_IMPORT = 2;
/** The most that 32-bit memory may grow to: whatever a host's memory says, it is not more. */
const MOST_PAGES = 65536;

/** The one import that a kernel has: where it stands in the binary. */
interface MemoryImport {
  /** Of the import section: its id, its body. */
  readonly section: number;
  readonly body: number;
  readonly end: number;
  /** Of the limits. */
  readonly flags: number;
  readonly after: number;
}

interface Cursor {
  readonly bytes: Uint8Array;
  at: number;
}

/** Unsigned LEB128. */
function number(cursor: Cursor): number {
  let value = 0;
  for (let factor = 1; ; factor *= 128) {
    const byte = cursor.bytes[cursor.at++];
    if (byte === undefined) throw new Error('the binary ends in the middle of a number');
    value += (byte & 0x7f) * factor;
    if (byte < 0x80) return value;
  }
}

function encode(value: number): number[] {
  const bytes = [];
  for (; value >= 0x80; value = Math.floor(value / 128)) bytes.push((value % 128) | 0x80);
  return [...bytes, value];
}

function text(cursor: Cursor): string {
  const length = number(cursor);
  cursor.at += length;
  return String.fromCharCode(...cursor.bytes.subarray(cursor.at - length, cursor.at));
}

/** Bytes of base64, as the kernel build writes it. */
export function fromBase64(base64: string): Uint8Array<ArrayBuffer> {
  const binary = atob(base64);
  const bytes = new Uint8Array(binary.length);
  for (let i = 0; i < binary.length; i++) bytes[i] = binary.charCodeAt(i);
  return bytes;
}

function readImports(cursor: Cursor, section: number, end: number): MemoryImport {
  const body = cursor.at;
  const count = number(cursor);
  let found: MemoryImport | undefined;
  for (let i = 0; i < count; i++) {
    const name = `${text(cursor)}.${text(cursor)}`;
    if (name !== 'env.memory' || cursor.bytes[cursor.at++] !== MEMORY_IMPORT) {
      throw new Error(`it imports ${name}, and may import nothing but the memory env.memory`);
    }
    const flags = cursor.at++;
    number(cursor);
    if (cursor.bytes[flags]! & 1) number(cursor);
    found = { section, body, end, flags, after: cursor.at };
  }
  if (found === undefined) throw new Error('it does not import env.memory');
  return found;
}

/**
 * Checks that a binary may share a heap with others: it imports that memory and nothing else, and writes nothing when it is
 * instantiated. (A data segment would land in the host's own statics, and a start function could do anything.) Throws what is wrong.
 */
export function findMemoryImport(bytes: Uint8Array): MemoryImport {
  const cursor = { bytes, at: 8 };
  let found: MemoryImport | undefined;
  while (cursor.at < bytes.length) {
    const section = cursor.at;
    const id = bytes[cursor.at++]!;
    const end = number(cursor) + cursor.at;
    if (id === START) throw new Error('it has a start function');
    if (id === DATA) throw new Error('it has a data segment (a literal array, a string, or Mathf.exp brings one)');
    if (id === MEMORY) throw new Error('it has a memory of its own, where it must import env.memory');
    if (id === IMPORT) found = readImports(cursor, section, end);
    cursor.at = end;
  }
  if (found === undefined) throw new Error('it does not import env.memory');
  return found;
}

/** The binary with the memory that it defines made shared, or undefined where it defines none. */
export function shareOwnMemory(bytes: Uint8Array): Uint8Array<ArrayBuffer> | undefined {
  const cursor = { bytes, at: 8 };
  while (cursor.at < bytes.length) {
    const section = cursor.at;
    const id = bytes[cursor.at++]!;
    const end = number(cursor) + cursor.at;
    if (id === MEMORY) {
      if (number(cursor) !== 1) return undefined;
      cursor.at++;
      const body = [1, 3, ...encode(number(cursor)), ...encode(MOST_PAGES)];
      return Uint8Array.from([...bytes.subarray(0, section + 1), ...encode(body.length), ...body, ...bytes.subarray(end)]);
    }
    cursor.at = end;
  }
  return undefined;
}

/** The binary with its memory import made shared, as the threaded build of tfjs has it. Nothing else changes: it needs no atomics. */
export function shareMemory(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const { section, body, end, flags, after } = findMemoryImport(bytes);
  const cursor = { bytes, at: flags + 1 };
  const limits = [3, ...encode(number(cursor)), ...encode(MOST_PAGES)];
  const length = encode(end - body - (after - flags) + limits.length);
  return Uint8Array.from([
    ...bytes.subarray(0, section + 1),
    ...length,
    ...bytes.subarray(body, flags),
    ...limits,
    ...bytes.subarray(after),
  ]);
}
