// Test pictures in an order, and under a shift: as a camera sees them.
import { random, type Random } from '@evenkeel/core';
import type { LabelledImages } from '@evenkeel/datasets';

export const SHIFTS = ['unshifted', 'noise', 'bright', 'dark'] as const;
export type Shift = (typeof SHIFTS)[number];

const NOISE = 0.25;
const BRIGHTER = 0.12;
const DARKER = 0.6;
/** Pictures of one class that follow each other. */
const RUN = 100;

const clipped = (value: number): number => Math.min(1, Math.max(0, value));

/** Pixels from 0 to 1 under a shift, from 0 to 1 again. */
export function shifted(images: Float32Array, shift: Shift, sequence: Random): Float32Array {
  if (shift === 'bright') return images.map((pixel) => clipped(pixel + BRIGHTER));
  if (shift === 'dark') return images.map((pixel) => clipped(pixel * DARKER));
  if (shift === 'unshifted') return images;
  const noise = sequence.normal(images.length);
  return images.map((pixel, i) => clipped(pixel + NOISE * noise[i]!));
}

/** The order of pictures with these labels: runs of one class, the runs in random order. */
export function inRuns(labels: Int32Array, sequence: Random): Int32Array {
  const byClass = new Map<number, number[]>();
  labels.forEach((label, i) => {
    const members = byClass.get(label);
    if (members === undefined) byClass.set(label, [i]);
    else members.push(i);
  });
  const runs = [...byClass.values()].flatMap((members) =>
    Array.from({ length: Math.ceil(members.length / RUN) }, (_, i) => members.slice(i * RUN, (i + 1) * RUN)),
  );
  return Int32Array.from(Array.from(sequence.permutation(runs.length)).flatMap((run) => runs[run]!));
}

/** The pictures as they come in: shifted, and in runs or shuffled. The same for all that share a seed. */
export function streamOf(
  { images, labels, count, ...others }: LabelledImages,
  shift: Shift,
  ordered: boolean,
  seed: number,
): LabelledImages {
  const sequence = random(seed).stream('stream');
  const seen = shifted(images, shift, sequence.stream('noise'));
  const order = ordered ? inRuns(labels, sequence.stream('runs')) : sequence.stream('shuffled').permutation(count);
  const pixels = images.length / count;
  const inOrder = new Float32Array(images.length);
  order.forEach((from, to) => inOrder.set(seen.subarray(from * pixels, (from + 1) * pixels), to * pixels));
  return { ...others, images: inOrder, labels: Int32Array.from(order, (i) => labels[i]!), count };
}
