// The normalization by itself, forward and backward: what the fused op saves before the rest of a step dilutes it.
import { random } from '@evenkeel/core';
import { dispose, grads, ones, tensor2d, zeros } from '@tensorflow/tfjs-core';
import { normalizations, type Arm } from './network.ts';
import { median } from './statistics.ts';
import { pause } from './train.ts';

const WARM_UP = 3;

/** Medians in milliseconds for [rows, columns] with gamma and beta; the two take turns. */
export async function timeNormalization(
  rows: number,
  columns: number,
  repetitions: number,
  signal: AbortSignal | undefined,
): Promise<Record<Arm, number>> {
  const x = tensor2d(random(0).normal(rows * columns), [rows, columns]);
  const [gamma, beta, dy] = [ones([columns]), zeros([columns]), ones([rows, columns])];
  const times: Record<Arm, number[]> = { composed: [], fused: [] };
  try {
    for (let repetition = -WARM_UP; repetition < repetitions; repetition++) {
      await pause(signal);
      for (const arm of inTurn(repetition)) {
        const begun = performance.now();
        const gradients = grads(normalizations[arm])([x, gamma, beta], dy);
        await Promise.all(gradients.map((gradient) => gradient.data()));
        if (repetition >= 0) times[arm].push(performance.now() - begun);
        dispose(gradients);
      }
    }
  } finally {
    dispose([x, gamma, beta, dy]);
  }
  return { composed: median(times.composed), fused: median(times.fused) };
}

/** Both arms; who comes first changes from turn to turn, so that neither always finds the caches warm. */
export function inTurn(turn: number): readonly Arm[] {
  return turn % 2 === 0 ? ['composed', 'fused'] : ['fused', 'composed'];
}
