// The photographs, and patches of them with holes.
import { readFile } from 'node:fs/promises';
import type { Random } from '@evenkeel/core';

/** Colours from 0 to 1, row by row. */
export interface Picture {
  readonly width: number;
  readonly height: number;
  readonly values: Float32Array;
}

const HEADER = /^P6\s+(\d+)\s+(\d+)\s+255\s/;

export async function readPicture(name: string): Promise<Picture> {
  // From the root of the repository, where recipes run.
  const bytes = await readFile(`recipes/region-norm/pictures/${name}.ppm`);
  const [header, width, height] = HEADER.exec(bytes.subarray(0, 32).toString('latin1'))!;
  return { width: Number(width), height: Number(height), values: Float32Array.from(bytes.subarray(header.length), (value) => value / 255) };
}

export const PATCH = 24;
const SHORTEST = 8;
const LONGEST = 14;

/** A whole number from 0 to `count` - 1. */
export const below = (numbers: Random, count: number): number => numbers.integers(1, count)[0]!;

export interface Patches {
  /** [count, PATCH, PATCH, 3] */
  readonly pictures: Float32Array;
  /** [count, PATCH, PATCH, 1]: 1 is hole. */
  readonly masks: Float32Array;
}

/** Patches of the pictures, half of them mirrored, each with a rectangular hole. */
export function cutPatches(pictures: readonly Picture[], count: number, numbers: Random): Patches {
  const cut = new Float32Array(count * PATCH * PATCH * 3);
  const masks = new Float32Array(count * PATCH * PATCH);
  for (let i = 0; i < count; i++) {
    const { width, height, values } = pictures[below(numbers, pictures.length)]!;
    const [left, top] = [below(numbers, width - PATCH + 1), below(numbers, height - PATCH + 1)];
    const mirrored = below(numbers, 2) === 1;
    const [w, h] = [SHORTEST + below(numbers, LONGEST - SHORTEST + 1), SHORTEST + below(numbers, LONGEST - SHORTEST + 1)];
    const [x0, y0] = [below(numbers, PATCH - w + 1), below(numbers, PATCH - h + 1)];
    for (let y = 0; y < PATCH; y++) {
      for (let x = 0; x < PATCH; x++) {
        const from = ((top + y) * width + left + (mirrored ? PATCH - 1 - x : x)) * 3;
        const to = (i * PATCH + y) * PATCH + x;
        cut.set(values.subarray(from, from + 3), to * 3);
        if (x >= x0 && x < x0 + w && y >= y0 && y < y0 + h) masks[to] = 1;
      }
    }
  }
  return { pictures: cut, masks };
}
