// The same training step on TensorFlow.js as it comes, without what @evenkeel/backend-wasm replaces.
import { backend, unregister, use, type LongRunning } from '@evenkeel/core';
import { wasm } from '@evenkeel/backend-wasm';
import { batchesOf, type Batch } from './batches.ts';
import type { Digits } from './digits.ts';
import { normalizations, type Arm, type Weights } from './network.ts';
import { median } from './statistics.ts';
import { disposeTrainee, makeTrainee, pause, step, type Trainee } from './train.ts';

/** How long a step takes on one engine. */
export interface EngineTime {
  readonly engine: string;
  /** Median over `steps` steps. */
  readonly milliseconds: number;
  readonly steps: number;
}

interface Engine {
  readonly name: string;
  readonly arm: Arm;
  /** Steps in a row before the next engine has its turn. The first is not counted: it finds the caches cold. */
  readonly steps: number;
  start(): Promise<unknown>;
}

const ours: Engine = {
  name: 'wasm with Evenkeel',
  arm: 'fused',
  steps: 11,
  start: () => {
    use(wasm());
    return backend('wasm');
  },
};

const plainWasm: Engine = {
  name: 'wasm, TensorFlow.js alone',
  arm: 'composed',
  steps: 6,
  start: async () => {
    await backend('wasm');
    unregister(wasm());
  },
};

const plainCpu: Engine = { name: 'cpu, TensorFlow.js alone', arm: 'composed', steps: 3, start: () => backend('cpu') };

const ROUNDS = 3;

/** Trains the same network on each engine for a few steps; the engines take turns. Leaves the 'wasm' backend as we have it. */
export async function timeEngines(
  weights: Weights,
  digits: Digits,
  batchSize: number,
  seed: number,
  { signal, onProgress }: LongRunning,
): Promise<EngineTime[]> {
  const engines = [ours, plainWasm, plainCpu];
  const name = 'plain TensorFlow.js';
  const trainees = new Map<Engine, { trainee: Trainee; batches: Generator<Batch, never> }>();
  const total = ROUNDS * engines.reduce((sum, { steps }) => sum + steps, 0);
  let loaded = 0;
  onProgress?.({ status: 'initiate', name });
  try {
    for (let round = 0; round < ROUNDS; round++) {
      for (const engine of engines) {
        await engine.start();
        if (!trainees.has(engine)) {
          trainees.set(engine, { trainee: makeTrainee(weights, normalizations[engine.arm]), batches: batchesOf(digits, batchSize, seed) });
        }
        const { trainee, batches } = trainees.get(engine)!;
        for (let i = 0; i < engine.steps; i++) {
          await pause(signal);
          const batch = batches.next().value;
          await step(trainee, batch);
          batch.x.dispose();
          batch.labels.dispose();
          if (i === 0) trainee.times.pop();
          onProgress?.({ status: 'progress', name, loaded: ++loaded, total });
        }
      }
    }
  } finally {
    for (const { trainee } of trainees.values()) disposeTrainee(trainee);
    await ours.start();
  }
  onProgress?.({ status: 'done', name });
  return [...trainees].map(([engine, { trainee }]) => ({
    engine: engine.name,
    milliseconds: median(trainee.times),
    steps: trainee.times.length,
  }));
}
