// The page's side of the runner: one worker for all examples of a page.
import type { RunFailure, RunReply, RunRequest, RunResult } from './protocol.ts';

let worker: Worker | undefined;
let lastId = 0;
const waiting = new Map<number, (reply: RunReply) => void>();

function fail(message: string): void {
  for (const [id, resolve] of waiting) resolve({ kind: 'failure', id, message });
  waiting.clear();
}

function started(): Worker {
  if (worker) return worker;
  worker = new Worker(new URL('./runner.worker.ts', import.meta.url), { type: 'module' });
  worker.addEventListener('message', ({ data }: MessageEvent<RunReply>) => {
    waiting.get(data.id)?.(data);
    waiting.delete(data.id);
  });
  worker.addEventListener('error', ({ message }) => {
    fail(`The worker does not run: ${message || 'it could not be loaded'}`);
    worker = undefined;
  });
  return worker;
}

/** Runs an example in the worker; resolves also where it fails. */
export function run(request: Omit<RunRequest, 'id'>): Promise<RunResult | RunFailure> {
  const id = ++lastId;
  return new Promise((resolve) => {
    waiting.set(id, resolve);
    started().postMessage({ ...request, id });
  });
}

/** Ends the worker and what runs in it; the next run starts another. */
export function stop(): void {
  worker?.terminate();
  worker = undefined;
  fail('Stopped.');
}
