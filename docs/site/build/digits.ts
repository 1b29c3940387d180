// MNIST's digits as one file of the site, packed: what the pages that train need of them.
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { loadMnist } from '@evenkeel/datasets/mnist';
import { TEST, TRAIN } from '../lab/sizes.ts';

/** Writes pixels and labels of those to train with, then of those to test with, where they are not there yet. */
export async function writeDigits(docs: string): Promise<void> {
  const file = join(docs, '.cache/digits.bin');
  if (existsSync(file)) return;
  const [train, test] = await Promise.all([
    loadMnist({ split: 'train', limit: TRAIN, raw: true }),
    loadMnist({ split: 'test', limit: TEST, raw: true }),
  ]);
  const parts = [train, test].flatMap(({ images, labels }) => [images, Uint8Array.from(labels)]);
  mkdirSync(join(docs, '.cache'), { recursive: true });
  writeFileSync(file, gzipSync(Buffer.concat(parts), { level: 9 }));
}
