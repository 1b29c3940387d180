// Arms of a recipe in processes of their own: two of them on two cores take half the time. A process is a copy of this program that runs what
// it is told, one arm and seed after the other.
import { fork, type ChildProcess } from 'node:child_process';
import { getBackend } from '@tensorflow/tfjs-core';
import { backend as startBackend, EvenkeelError, type ProgressEvent } from '@evenkeel/core';
import type { Recipe } from './define.ts';
import type { RunRecord } from './results.ts';
import { runOnce, type OneRun } from './runner.ts';

type Answer = { readonly event: ProgressEvent } | { readonly record: RunRecord };

const send = (answer: Answer): void => void process.send!(answer);

/** What one process does: it answers each {@link OneRun} that it is sent with progress and a record, until its parent lets go of it. */
export function serveRuns(recipe: Recipe): void {
  process.on('message', (run: OneRun) => {
    void (async () => {
      await startBackend(run.backend);
      send({ record: await runOnce(recipe, { ...run, backend: getBackend(), onProgress: (event) => send({ event }) }) });
    })();
  });
  process.on('disconnect', () => process.exit());
  // Ctrl-C reaches all processes of a terminal; the parent says what is to be done about it.
  process.on('SIGINT', () => undefined);
}

export interface Workers {
  /** Does a run in a process that has nothing to do. No more than there are processes at a time. */
  run(run: OneRun, onProgress: (event: ProgressEvent) => void): Promise<RunRecord>;
  readonly count: number;
  end(): void;
}

/** Starts `count` processes of the running program with these arguments, which are to lead to {@link serveRuns}. */
export function startWorkers(count: number, args: readonly string[]): Workers {
  const all = Array.from({ length: count }, () =>
    // NaN and Infinity are lost in JSON.
    fork(process.argv[1]!, [...args], { serialization: 'advanced', stdio: ['ignore', 'ignore', 'inherit', 'ipc'] }),
  );
  const idle: ChildProcess[] = [...all];
  return {
    count,
    run: (run, onProgress) =>
      new Promise((resolve, reject) => {
        const worker = idle.pop()!;
        const gone = (code: number | null): void => {
          const message = `the process that ran ${run.arm}, seed ${run.seed}, ended with code ${code}`;
          reject(new EvenkeelError('CHECK_FAILED', message, { op: 'recipe' }));
        };
        const answer = (message: Answer): void => {
          if ('event' in message) return onProgress(message.event);
          worker.off('message', answer).off('exit', gone);
          idle.push(worker);
          resolve(message.record);
        };
        worker.on('message', answer).once('exit', gone);
        worker.send(run);
      }),
    end: () => all.forEach((worker) => worker.kill()),
  };
}
