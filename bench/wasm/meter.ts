// The ceiling that every kernel bound by multiply-adds is held to.
import { readFileSync } from 'node:fs';
import { main as asc } from 'assemblyscript/asc';
import { quantile } from '../harness/statistics.ts';

type Run = (steps: number, factor: number, summand: number) => number;

const SOURCE = 'bench/wasm/meter.as.ts';
const OPERATIONS = 96;
const STEPS = 400_000;

async function compile(relaxed: boolean): Promise<Record<string, Run>> {
  let binary: Uint8Array<ArrayBuffer> | undefined;
  const features = ['--enable', 'simd', ...(relaxed ? ['--enable', 'relaxed-simd'] : [])];
  const { error, stderr } = await asc(['meter.ts', '--outFile', 'out.wasm', '-O3', '--runtime', 'stub', '--noAssert', ...features], {
    readFile: (name) => (name === 'meter.ts' ? readFileSync(SOURCE, 'utf8') : null),
    writeFile: (name, contents) => {
      if (name === 'out.wasm') binary = contents as Uint8Array<ArrayBuffer>;
    },
  });
  if (error || binary === undefined) throw new Error(`${SOURCE}: ${error?.message ?? 'no output'} ${String(stderr)}`);
  const { instance } = await WebAssembly.instantiate(binary);
  return instance.exports as Record<string, Run>;
}

export interface Ceiling {
  /** Operations a second, in GFLOP/s: the best of all runs, and the median of the better body. */
  readonly best: number;
  readonly median: number;
}

/** Meters one core: the larger of the two bodies, over `runs` runs. */
export async function ceiling(relaxed: boolean, runs = 25): Promise<Ceiling> {
  const { once, unrolled } = await compile(relaxed);
  const rates = [once!, unrolled!].map((run) => {
    run(STEPS, 0.999, 1e-3);
    run(STEPS, 0.999, 1e-3);
    return Array.from({ length: runs }, () => {
      const start = performance.now();
      run(STEPS, 0.999, 1e-3);
      return (STEPS * OPERATIONS) / (performance.now() - start) / 1e6;
    });
  });
  const better = rates.toSorted((a, b) => quantile(b, 1) - quantile(a, 1))[0]!;
  return { best: quantile(better, 1), median: quantile(better, 0.5) };
}
