// Trains networks, away from the page: in turns, a step each, so that their curves grow together. Hears the page between steps.
import '../runner/backends.ts';
import { backend, random, type Random } from '@evenkeel/core';
import { pick, readDigits, type AllDigits } from './digits.ts';
import type { LabReply, LabRequest, StartRequest } from './protocol.ts';
import { TEST, TRAIN } from './sizes.ts';
import { makeTrainer, type Batch, type Trainer } from './trainer.ts';

const BATCH = 64;
/** Steps between accuracies on some of the held-out digits, and between looks into the layers. */
const TEST_EVERY = 25;
const TESTED = 500;
const LOOK_EVERY = 5;
const LOOKED_AT = 64;

interface Run {
  readonly trainer: Trainer;
  readonly milliseconds: number[];
  ended: boolean;
}

interface Session {
  readonly request: StartRequest;
  readonly digits: AllDigits;
  readonly runs: readonly Run[];
  readonly order: Random;
  step: number;
  going: boolean;
}

let session: Session | undefined;
let loaded: Promise<AllDigits> | undefined;

const tell = (reply: LabReply): void => postMessage(reply);
const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
const message = (error: unknown): string => (error instanceof Error ? error.message : String(error));
const upTo = (count: number): number[] => Array.from({ length: count }, (_, i) => i);

/** Lets messages come in. Timers would wait for milliseconds. */
function breathe(): Promise<void> {
  const { port1, port2 } = new MessageChannel();
  return new Promise((resolve) => {
    port1.addEventListener('message', () => {
      port1.close();
      resolve();
    });
    port1.start();
    port2.postMessage(undefined);
  });
}

function end(now: Session, at: number, why: string): undefined {
  now.runs[at]!.ended = true;
  tell({ kind: 'ended', run: at, why });
  return undefined;
}

async function stepOf(now: Session, at: number, batch: Batch): Promise<number | undefined> {
  const run = now.runs[at]!;
  if (run.ended) return undefined;
  const start = performance.now();
  try {
    const loss = await run.trainer.step(batch);
    run.milliseconds.push(performance.now() - start);
    return Number.isFinite(loss) ? loss : end(now, at, `its loss is ${loss} at step ${now.step + 1}`);
  } catch (error) {
    return end(now, at, message(error));
  }
}

async function look(now: Session): Promise<void> {
  const batch = pick(now.digits.test, upTo(LOOKED_AT));
  const runs = [];
  for (const { trainer, ended } of now.runs) runs.push(ended ? [] : await trainer.layers(batch).catch(() => []));
  if (now === session) tell({ kind: 'layers', step: now.step, runs });
}

async function measure(now: Session, count: number): Promise<void> {
  const batch = pick(now.digits.test, upTo(count));
  const percent = [];
  for (const { trainer, ended } of now.runs) percent.push(ended ? 0 : await trainer.accuracy(batch));
  if (now !== session) return;
  tell({ kind: 'accuracy', step: now.step, percent, milliseconds: now.runs.map((run) => median(run.milliseconds)) });
}

const goesOn = (now: Session): boolean =>
  now.going && now === session && now.step < now.request.steps && now.runs.some(({ ended }) => !ended);

/** Goes on until it is stopped, through, or another session has begun. */
async function train(now: Session): Promise<void> {
  const { request, digits, order } = now;
  now.going = true;
  if (request.inspect && now.step === 0) await look(now);
  while (goesOn(now)) {
    const batch = pick(digits.train, order.integers(BATCH, TRAIN));
    const losses = [];
    for (const at of now.runs.keys()) losses.push(await stepOf(now, at, batch));
    if (now !== session) return;
    now.step++;
    tell({ kind: 'step', step: now.step, losses });
    if (request.inspect && now.step % LOOK_EVERY === 0) await look(now);
    if (now.step % TEST_EVERY === 0 && now.step < request.steps) await measure(now, TESTED);
    await breathe();
  }
  const done = now.step >= request.steps || now.runs.every(({ ended }) => ended);
  await measure(now, done ? TEST : TESTED);
  now.going = false;
  if (now === session) tell({ kind: 'stopped', step: now.step, done });
}

async function start(request: StartRequest): Promise<void> {
  const old = session;
  session = undefined;
  for (const { trainer } of old?.runs ?? []) trainer.dispose();
  const digits = await (loaded ??= readDigits(request.digits));
  const { detail } = await backend(request.backend);
  const runs = request.runs.map((settings) => ({ trainer: makeTrainer(settings, request.network), milliseconds: [], ended: false }));
  session = { request, digits, runs, order: random(1).stream('order'), step: 0, going: false };
  tell({ kind: 'ready', backend: detail, train: TRAIN, test: TEST });
  await train(session);
}

async function classify(pixels: Float32Array): Promise<void> {
  const probabilities = [];
  for (const { trainer, ended } of session?.runs ?? []) probabilities.push(ended ? [] : await trainer.probabilities(pixels));
  tell({ kind: 'classified', probabilities });
}

async function digit(url: string, index: number): Promise<void> {
  const { pixels, labels } = pick((await (loaded ??= readDigits(url))).test, [index % TEST]);
  tell({ kind: 'digit', pixels, label: labels[0]! });
}

function answer(request: LabRequest): Promise<void> | void {
  switch (request.kind) {
    case 'start':
      return start(request);
    case 'stop':
      if (session) session.going = false;
      return;
    case 'resume':
      return session && !session.going ? train(session) : undefined;
    case 'classify':
      return classify(request.pixels);
    case 'digit':
      return digit(request.digits, request.index);
  }
}

addEventListener('message', ({ data }: MessageEvent<LabRequest>) => {
  Promise.resolve(answer(data)).catch((error: unknown) => tell({ kind: 'failed', message: message(error) }));
});
