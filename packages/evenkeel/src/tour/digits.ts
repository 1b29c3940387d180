import type { LongRunning } from '@evenkeel/core';
import type { LabelledImages } from '@evenkeel/datasets';
import { loadMnist } from '@evenkeel/datasets/mnist';

export const PIXELS = 28 * 28;

export const CLASSES = 10;

/** Digits with their labels, pixels from 0 to 255. */
export type Digits = LabelledImages<Uint8Array>;

/** MNIST: 60,000 digits to train on, 10,000 to test on. */
export async function loadDigits({ signal }: LongRunning): Promise<{ training: Digits; heldOut: Digits }> {
  const [training, heldOut] = [
    await loadMnist({ split: 'train', raw: true, signal }),
    await loadMnist({ split: 'test', raw: true, signal }),
  ];
  return { training, heldOut };
}
