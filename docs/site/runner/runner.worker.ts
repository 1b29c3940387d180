// Runs examples, away from the page: what takes long does not hold it up, and what is edited sees nothing of it.
import './backends.ts';
import { engine } from '@tensorflow/tfjs-core';
import { backend, inspect, resetInspection } from '@evenkeel/core';
import { evaluate } from './evaluate.ts';
import type { RunReply, RunRequest, RunResult } from './protocol.ts';

/** Milliseconds for runs after the first. */
const MORE = 150;
const MOST_RUNS = 50;

const show = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));

async function timed(main: () => unknown): Promise<[value: unknown, milliseconds: number]> {
  engine().startScope();
  const start = performance.now();
  try {
    return [await main(), performance.now() - start];
  } finally {
    engine().endScope();
  }
}

const median = (values: number[]): number => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;

async function run({ id, code, backend: name }: RunRequest): Promise<RunResult> {
  const { detail } = await backend(name);
  const { main } = await evaluate(code);
  if (typeof main !== 'function') throw new Error('The example exports no function main.');

  const printed: string[] = [];
  const { log } = console;
  console.log = (...values) => printed.push(values.map(show).join(' '));
  resetInspection();
  let first: [unknown, number];
  try {
    first = await timed(main);
  } finally {
    console.log = log;
  }
  const served = inspect().calls.map(({ op, served: how, calls }) => ({ op: op.slice(op.lastIndexOf('/') + 1), served: how, calls }));

  const more: number[] = [];
  for (let spent = first[1]; spent < MORE && more.length < MOST_RUNS; spent += more.at(-1)!) more.push((await timed(main))[1]);
  const value = JSON.parse(JSON.stringify(first[0] ?? null)) as unknown;
  const again = more.length > 0 ? { again: median(more) } : {};
  return { kind: 'result', id, value, printed, first: first[1], ...again, runs: more.length, backend: name, detail, served };
}

async function answer(request: RunRequest): Promise<void> {
  const reply: RunReply = await run(request).catch((error: unknown) => ({
    kind: 'failure',
    id: request.id,
    message: error instanceof Error ? `${error.name}: ${error.message}` : String(error),
  }));
  postMessage(reply);
}

let queue = Promise.resolve();
addEventListener('message', ({ data }: MessageEvent<RunRequest>) => {
  queue = queue.then(() => answer(data));
});
