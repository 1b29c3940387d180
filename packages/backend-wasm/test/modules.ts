// WASM modules written by hand: the smallest that do the one right or wrong thing.

const ascii = (text: string): number[] => [text.length, ...Array.from(text, (letter) => letter.charCodeAt(0))];
const section = (id: number, body: number[]): number[] => (body.length === 0 ? [] : [id, body.length, ...body]);

const I32 = 0x7f;
const F32 = 0x7d;

/** for (; n > 0; n--) { *y = *x * factor; x += 4; y += 4 } of parameters x, y, n, factor. */
const SCALE = [
  [0x02, 0x40, 0x03, 0x40, 0x20, 0x02, 0x45, 0x0d, 0x01], // block, loop, n == 0: leave
  [0x20, 0x01, 0x20, 0x00, 0x2a, 0x02, 0x00, 0x20, 0x03, 0x94, 0x38, 0x02, 0x00], // *y = *x * factor
  [0x20, 0x00, 0x41, 0x04, 0x6a, 0x21, 0x00, 0x20, 0x01, 0x41, 0x04, 0x6a, 0x21, 0x01], // x += 4, y += 4
  [0x20, 0x02, 0x41, 0x01, 0x6b, 0x21, 0x02, 0x0c, 0x00, 0x0b, 0x0b], // n -= 1, again
].flat();

export const bodies = {
  scale: SCALE,
  /** As `scale`, with a SIMD instruction. */
  vectors: [0x41, 0x00, 0xfd, 0x0f, 0x1a, ...SCALE],
  trap: [0x00],
  outOfBounds: [0x41, 0x7f, 0x2a, 0x02, 0x00, 0x1a],
  grow: [0x41, 0x01, 0x40, 0x00, 0x1a],
};

export interface Parts {
  body?: number[];
  /** Default: env.memory with a minimum of 1 page. */
  imports?: number[][];
  start?: boolean;
  data?: boolean;
  /** A memory of its own. */
  memory?: boolean;
}

export const memoryImport = [...ascii('env'), ...ascii('memory'), 0x02, 0x00, 0x01];
export const functionImport = [...ascii('env'), ...ascii('abort'), 0x00, 0x01];

const code = (text: number[]): number[] => [text.length + 2, 0x00, ...text, 0x0b];

/** A module that exports `run(x, y, n, factor)`, in base64. */
export function moduleOf({
  body = bodies.scale,
  imports = [memoryImport],
  start = false,
  data = false,
  memory = false,
}: Parts = {}): string {
  const functions = imports.filter((entry) => entry === functionImport).length;
  const sections = [
    section(1, [2, 0x60, 4, I32, I32, I32, F32, 0, 0x60, 0, 0]),
    section(2, imports.length ? [imports.length, ...imports.flat()] : []),
    section(3, [2, 0, 1]),
    section(5, memory ? [1, 0x00, 0x01] : []),
    section(7, [1, ...ascii('run'), 0x00, functions]),
    section(8, start ? [functions + 1] : []),
    section(10, [2, ...code(body), ...code([])]),
    section(11, data ? [1, 0x00, 0x41, 0x80, 0x08, 0x0b, 1, 42] : []),
  ];
  return btoa(String.fromCharCode(0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00, ...sections.flat()));
}
