// The digits that the build packed (site/build/digits.ts).
import { PIXELS, TEST, TRAIN } from './sizes.ts';

export interface Digits {
  /** 0 to 255, PIXELS a digit. */
  readonly pixels: Uint8Array;
  readonly labels: Uint8Array;
}

export interface AllDigits {
  readonly train: Digits;
  readonly test: Digits;
}

export async function readDigits(url: string): Promise<AllDigits> {
  const response = await fetch(url);
  if (!response.ok || response.body === null) throw new Error(`The digits could not be loaded: ${response.status} ${response.statusText}`);
  const unpacked = await new Response(response.body.pipeThrough(new DecompressionStream('gzip'))).arrayBuffer();
  let at = 0;
  const take = (count: number): Uint8Array => new Uint8Array(unpacked, (at += count) - count, count);
  const digits = (count: number): Digits => ({ pixels: take(count * PIXELS), labels: take(count) });
  return { train: digits(TRAIN), test: digits(TEST) };
}

/** Some of the digits: pixels from 0 to 1, and labels. */
export function pick({ pixels, labels }: Digits, indices: ArrayLike<number>): { pixels: Float32Array; labels: Int32Array } {
  const picked = new Float32Array(indices.length * PIXELS);
  for (let i = 0; i < indices.length; i++) {
    const from = indices[i]! * PIXELS;
    for (let p = 0; p < PIXELS; p++) picked[i * PIXELS + p] = pixels[from + p]! / 255;
  }
  return { pixels: picked, labels: Int32Array.from(indices, (index) => labels[index]!) };
}
