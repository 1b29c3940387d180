import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { add, dispose, memory, mul, sub, tensor, type Tensor } from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import { backend, isEvenkeelError, type ProgressEvent } from '@evenkeel/core';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { checkTour } from '../../test/check-tour.ts';
import { useBackends } from '../doctor/doctor.ts';
import { batchesOf } from './batches.ts';
import { loadDigits } from './digits.ts';
import { initialWeights, normalizations } from './network.ts';
import { writeAtomically } from './save.ts';
import { largestDifference } from './statistics.ts';
import { TOLERANCE, tour, type TourOptions, type TourPart, type TrainingPart } from './tour.ts';
import { disposeTrainee, makeTrainee, step } from './train.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'evenkeel-'));
});
afterEach(() => rm(folder, { recursive: true }));

/** The training of a tour, which is then aborted: the rest of it is not looked at. */
async function trainingOnly(options: TourOptions): Promise<TrainingPart> {
  const controller = new AbortController();
  let training: TrainingPart | undefined;
  const onPart = (part: TourPart): void => {
    if (part.part !== 'training') return;
    training = part;
    controller.abort();
  };
  await expect(tour({ ...options, signal: controller.signal, onPart })).rejects.toMatchObject({ code: 'ABORTED' });
  return training!;
}

describe('tour', () => {
  it('learns on wasm, alike with both norms, beside plain TensorFlow.js, and loads what it saved bit by bit', async () => {
    const { engines } = await checkTour('wasm', { steps: 30, digits: 300 });
    expect(engines!.engines.map(({ milliseconds }) => milliseconds > 0)).toEqual([true, true, true]);
  });

  it('learns on cpu, alike with both norms, and loads what it saved bit by bit', async () => {
    expect((await checkTour('cpu', { steps: 5, digits: 300 })).engines).toBeUndefined();
  });

  it('comes to the same losses from the same seed, and to others from another', async () => {
    const options = { backend: 'wasm', steps: 5, digits: 100 } as const;
    const [first, again, other] = [
      await trainingOnly({ ...options, seed: 3 }),
      await trainingOnly({ ...options, seed: 3 }),
      await trainingOnly({ ...options, seed: 4 }),
    ];
    expect(again.losses).toEqual(first.losses);
    expect(again.accuracy).toEqual(first.accuracy);
    expect(other.losses.fused[0]).not.toBe(first.losses.fused[0]);
  });

  it('stops in the middle of the training when it is aborted, and leaves no file and no tensor', async () => {
    const { numTensors } = memory();
    const controller = new AbortController();
    const events: ProgressEvent[] = [];
    const onProgress = (event: ProgressEvent): void => {
      events.push(event);
      if (event.status === 'progress' && event.loaded === 3) controller.abort();
    };
    const out = join(folder, 'model.safetensors');
    const ended = tour({ backend: 'wasm', steps: 1000, out, signal: controller.signal, onProgress });
    await expect(ended).rejects.toMatchObject({ code: 'ABORTED' });
    expect(events.filter(({ status }) => status === 'progress')).toHaveLength(3);
    expect(await readdir(folder)).toEqual([]);
    expect(memory().numTensors).toBe(numTensors);
  });

  it('refuses before it trains what cannot be', async () => {
    const wrong: [TourOptions, string][] = [
      [{ seed: -1 }, 'seed'],
      [{ steps: 0 }, 'steps'],
      [{ digits: 10_001 }, 'digits'],
      [{ out: join(folder, 'no-such-folder', 'model') }, 'out'],
      [{ out: folder }, 'out'],
    ];
    for (const [options, argument] of wrong) {
      await expect(tour(options)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT', argument });
    }
  });
});

/** The value of layer normalization, and a hundredth of dy too much as the gradient of x. */
function wronglyDifferentiated(x: Tensor, gamma: Tensor, beta: Tensor): Tensor {
  const constant = tensor(x.dataSync(), x.shape);
  return add(normalizations.fused(x, gamma, beta), mul(0.01, sub(x, constant)));
}

describe('the tolerance of the learning curves', () => {
  it('is passed within 50 steps where a gradient is wrong by a hundredth', async () => {
    await useBackends();
    await import('@evenkeel/core/register-gradients');
    await backend('wasm');
    const digits = (await loadDigits({})).training;
    const weights = initialWeights(1);
    const trainees = [normalizations.composed, normalizations.fused, wronglyDifferentiated].map((normalize) =>
      makeTrainee(weights, normalize),
    );
    const batches = batchesOf(digits, 32, 1);
    for (let i = 0; i < 50; i++) {
      const batch = batches.next().value;
      for (const trainee of trainees) await step(trainee, batch);
      dispose([batch.x, batch.labels]);
    }
    const [composed, fused, off] = trainees.map(({ losses }) => losses);
    expect(largestDifference(composed!, fused!)).toBeLessThan(TOLERANCE / 10);
    expect(largestDifference(composed!, off!)).toBeGreaterThan(2 * TOLERANCE);
    trainees.forEach(disposeTrainee);
  });
});

describe('writeAtomically', () => {
  it('leaves the old file as it was when it is aborted', async () => {
    const file = join(folder, 'model');
    await writeFile(file, 'old');
    const error: unknown = await writeAtomically(file, Buffer.from('new'), AbortSignal.abort()).catch((thrown: unknown) => thrown);
    expect(isEvenkeelError(error, 'ABORTED')).toBe(true);
    expect(await readFile(file, 'utf8')).toBe('old');
    expect(await readdir(folder)).toEqual(['model']);
    await writeAtomically(file, Buffer.from('new'), undefined);
    expect(await readFile(file, 'utf8')).toBe('new');
    expect(await readdir(folder)).toEqual(['model']);
  });
});
