// What runs in the page that chromium.ts opens.
import '@evenkeel/core/register-gradients';
import type { WasmOptions } from '@evenkeel/backend-wasm';
import { engines } from './engines.ts';
import { measureStep } from './measure.ts';
import type { RowResult } from './results.ts';
import { trainingSteps } from './steps.ts';

export interface PageOptions {
  readonly paths: NonNullable<WasmOptions['paths']>;
  readonly rounds: number;
  readonly budget: number;
}

/** Of all engines but tfjs' plain CPU backend, whose steps take up to half a minute: the losses are held to those of our plain kernels. */
async function measure({ paths, rounds, budget }: PageOptions): Promise<RowResult[]> {
  if (!crossOriginIsolated) throw new Error('the page is not cross-origin isolated');
  const known = (await engines(paths)).filter((engine) => engine !== 'tfjs-cpu');
  const clock = { now: () => performance.now(), cpu: () => 0 };
  const rows: RowResult[] = [];
  for (const step of trainingSteps) rows.push(await measureStep(step, { engines: known, rounds, budget, reference: 'evenkeel', clock }));
  return rows;
}

Object.assign(globalThis, { measure });
