import { EvenkeelError, expect } from '@evenkeel/core';
import { parseIdx, type IdxDtype } from '../idx/idx.ts';
import { checkRange, rangeIn, type Range } from '../range.ts';
import { labelled, type LabelledImages, type PixelOptions, type PixelsOf } from '../images.ts';

export const SHAPE = [28, 28] as const;
const CLASSES = 10;

export interface ParseMnistOptions<Raw extends boolean = boolean> extends Range, PixelOptions<Raw> {}

/** Throws INVALID_ARGUMENT unless a file has the shape of MNIST's. Returns how many images or labels it has. */
export function checkHeader(op: string, file: 'images' | 'labels', found: { dtype: IdxDtype; shape: readonly number[] }): number {
  const [count, ...rest] = found.shape;
  const expected = file === 'images' ? SHAPE : [];
  if (found.dtype !== 'uint8' || rest.join() !== expected.join()) {
    throw new EvenkeelError(
      'INVALID_ARGUMENT',
      `${file} holds ${found.dtype} [${found.shape.join(', ')}], expected uint8 [${['count', ...expected].join(', ')}]`,
      { op, argument: file },
    );
  }
  return count!;
}

/** Throws INVALID_ARGUMENT unless there are as many labels as images. */
export function checkCounts(op: string, images: number, labels: number): void {
  expect(labels === images, op, 'labels', `${images} labels, one for each image`, labels);
}

/** Pixels and labels as MNIST, after a look at the labels. */
export function toMnist<Raw extends boolean>(
  op: string,
  pixels: Uint8Array,
  labels: Uint8Array,
  raw: Raw | undefined,
): LabelledImages<PixelsOf<Raw>> {
  const odd = labels.find((label) => label >= CLASSES);
  expect(odd === undefined, op, 'labels', `only digits below ${CLASSES}`, odd);
  return labelled(pixels, labels, { shape: SHAPE, classes: CLASSES, white: 255, raw });
}

/**
 * MNIST's digits from the bytes of its files, in a browser for example, where the page has fetched them.
 *
 * @param files - an images and a labels file of one split, IDX, uncompressed
 * @param options - `raw`, `offset`, `limit`
 * @returns images [count, 28, 28] from 0 (background) to 1 (ink), labels 0 to 9; raw pixels are a view into the file
 * @throws EvenkeelError INVALID_ARGUMENT where a file is damaged, or the two do not belong together
 *
 * @example
 * const bytes = async (name) => new Uint8Array(await (await fetch(`/mnist/${name}`)).arrayBuffer());
 * const test = parseMnist({ images: await bytes('t10k-images-idx3-ubyte'), labels: await bytes('t10k-labels-idx1-ubyte') });
 */
export function parseMnist<Raw extends boolean = false>(
  files: { readonly images: Uint8Array | ArrayBuffer; readonly labels: Uint8Array | ArrayBuffer },
  options: ParseMnistOptions<Raw> = {},
): LabelledImages<PixelsOf<Raw>> {
  const op = 'parseMnist';
  checkRange(op, options);
  const images = parseIdx(files.images);
  const labels = parseIdx(files.labels);
  const count = checkHeader(op, 'images', images);
  checkCounts(op, count, checkHeader(op, 'labels', labels));
  const [begin, end] = rangeIn(op, options, count);
  const size = SHAPE[0] * SHAPE[1];
  return toMnist(
    op,
    (images.data as Uint8Array).subarray(begin * size, end * size),
    (labels.data as Uint8Array).subarray(begin, end),
    options.raw,
  );
}
