/** Colours from 0 to 1, row by row. */
export interface Picture {
  readonly width: number;
  readonly height: number;
  readonly values: Float32Array;
}

const HEADER = /^P6\s+(\d+)\s+(\d+)\s+255\s/;

/** A picture in the format PPM, 8 bits, without comments. */
export function readPpm(bytes: Uint8Array): Picture {
  const [header, width, height] = HEADER.exec(new TextDecoder('latin1').decode(bytes.subarray(0, 32)))!;
  return { width: Number(width), height: Number(height), values: Float32Array.from(bytes.subarray(header.length), (value) => value / 255) };
}

/** A part of a picture. */
export function crop({ width: from, values }: Picture, left: number, top: number, width: number, height: number): Picture {
  const cut = new Float32Array(width * height * 3);
  for (let y = 0; y < height; y++) {
    const start = ((top + y) * from + left) * 3;
    cut.set(values.subarray(start, start + 3 * width), y * width * 3);
  }
  return { width, height, values: cut };
}
