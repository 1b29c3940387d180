import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { memory } from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import { expect } from 'vitest';
import { styleFor } from '../src/terminal/colour.ts';
import { farewell, printPart } from '../src/tour/print.ts';
import { tour, type TourOptions, type TourPart, type TourReport } from '../src/tour/tour.ts';

/** Ten classes. */
const CHANCE = 0.1;

const plain = styleFor(Object.create(null));

/** Takes the tour and expects of it what it must show on every backend: it learns, the curves agree, what was saved comes back, nothing is left. */
export async function checkTour(
  backend: NonNullable<TourOptions['backend']>,
  options: { steps: number; digits: number },
): Promise<TourReport> {
  const folder = await mkdtemp(join(tmpdir(), 'evenkeel-'));
  try {
    const { numTensors } = memory();
    const parts: TourPart[] = [];
    const out = join(folder, 'model.safetensors');
    const report = await tour({ ...options, backend, out, onPart: (part) => parts.push(part) });
    const { backends, plan, training, engines, saved } = report;
    expect(memory().numTensors).toBe(numTensors);
    expect(backends.chosen.name).toBe(backend);
    expect(plan).toMatchObject({ trainingDigits: 60_000, steps: options.steps, seed: 1 });

    expect(training.losses.fused).toHaveLength(options.steps);
    expect(training.losses.fused.at(-1)).toBeLessThan(0.8 * training.losses.fused[0]!);
    expect(training.largestDifference).toBeLessThan(training.tolerance);
    expect(training.curvesAgree).toBe(true);
    expect(training.accuracy.fused).toBeGreaterThan(3 * CHANCE);
    expect(Math.abs(training.accuracy.fused - training.accuracy.composed)).toBeLessThan(0.02);
    for (const times of [training.stepMilliseconds, training.normMilliseconds]) {
      expect(times.composed).toBeGreaterThan(0);
      expect(times.fused).toBeGreaterThan(0);
    }

    expect(saved).toMatchObject({ file: out, kept: true, predictions: options.digits, bitEqual: true });
    expect(await readdir(folder)).toEqual(['model.safetensors']);
    expect((await readFile(out)).byteLength).toBe(saved.bytes);

    expect(parts.map(({ part }) => part)).toEqual(['backends', 'plan', 'training', ...(engines ? ['engines'] : []), 'saved']);
    const text = [...parts.map((part) => printPart(part, plain)), farewell(true, plain)].join('\n').replace(out, 'FILE');
    expect(Math.max(...text.split('\n').map((line) => line.length))).toBeLessThanOrEqual(80);
    expect(text).toContain('The learning curves agree');
    return report;
  } finally {
    await rm(folder, { recursive: true });
  }
}
