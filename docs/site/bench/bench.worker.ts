// The bench in the visitor's browser: ours and tfjs as it is in turns, on the same numbers, compared before they are timed.
import { STOCK } from './stock.ts';
import '../runner/backends.ts';
import {
  dispose,
  env,
  getBackend,
  grads,
  matMul,
  ready,
  reshape,
  setBackend,
  slice,
  tensor,
  tidy,
  type Tensor,
} from '@tensorflow/tfjs-core';
import { backend, random } from '@evenkeel/core';
import { BatchNorm, batchNorm, GroupNorm, groupNorm, LayerNorm, layerNorm, RMSNorm, rmsNorm } from '@evenkeel/norms';
import type { Arm } from '../../../bench/harness/arm.ts';
import { interleave } from '../../../bench/harness/interleave.ts';
import { median, pairedRatio } from '../../../bench/harness/statistics.ts';
import type { BenchReply, BenchRequest, BenchResult } from './protocol.ts';

const EPSILON = 1e-5;
const GROUPS = 8;
/** |a - b| <= TOLERANCE (1 + |b|). */
const TOLERANCE = 1e-3;
/** Milliseconds that a side may take in a case. */
const BUDGET = 600;

interface Case {
  readonly name: string;
  readonly shapes: readonly (readonly number[])[];
  readonly ours: (...inputs: Tensor[]) => Tensor;
  readonly theirs: (...inputs: Tensor[]) => Tensor;
  readonly only?: 'wasm';
}

type Formula = (x: Tensor, gamma: Tensor, beta: Tensor) => Tensor;

const withGradient =
  (f: Formula) =>
  (x: Tensor, gamma: Tensor, beta: Tensor, dy: Tensor): Tensor =>
    grads(f as never)([x, gamma, beta] as never, dy as never)[0]!;

const layer: Formula = (x, gamma, beta) => layerNorm(x, gamma, beta, { epsilon: EPSILON });
const composedLayer: Formula = (x, gamma, beta) =>
  LayerNorm.definition.reference({ x, gamma, beta }, { axes: [-1], epsilon: EPSILON, activation: 'linear' });
const tokens = [256, 768];
const pictures = [32, 14, 14, 64];

const cases: readonly Case[] = [
  { name: `layer norm [${tokens}]`, shapes: [tokens, [768], [768]], ours: layer as never, theirs: composedLayer as never },
  {
    name: `layer norm and its gradient [${tokens}]`,
    shapes: [tokens, [768], [768], tokens],
    ours: withGradient(layer) as never,
    theirs: withGradient(composedLayer) as never,
  },
  {
    name: `RMS norm [${tokens}]`,
    shapes: [tokens, [768]],
    ours: (x, gamma) => rmsNorm(x!, gamma, { epsilon: EPSILON }),
    theirs: (x, gamma) => RMSNorm.definition.reference({ x: x!, gamma: gamma! }, { epsilon: EPSILON, activation: 'linear' }),
  },
  {
    name: `batch norm [${pictures}]`,
    shapes: [pictures, [64], [64]],
    ours: (x, gamma, beta) => batchNorm(x!, gamma, beta, { epsilon: EPSILON }).y,
    theirs: (x, gamma, beta) => BatchNorm.definition.reference({ x: x!, gamma: gamma!, beta: beta! }, { epsilon: EPSILON }).y,
  },
  {
    name: `group norm [${pictures}]`,
    shapes: [pictures, [64], [64]],
    ours: (x, gamma, beta) => groupNorm(x!, gamma, beta, { numGroups: GROUPS, epsilon: EPSILON }),
    theirs: (x, gamma, beta) =>
      GroupNorm.definition.reference({ x: x!, gamma: gamma!, beta: beta! }, { numGroups: GROUPS, epsilon: EPSILON, activation: 'linear' }),
  },
  ...([false, true] as const).map((transposed) => ({
    name: `matMul 256 x 256 x 256${transposed ? ', the second transposed' : ''}`,
    shapes: [
      [256, 256],
      [256, 256],
    ],
    ours: (a: Tensor, b: Tensor) => matMul(a as never, b as never, false, transposed),
    theirs: (a: Tensor, b: Tensor) => matMul(a as never, b as never, false, transposed),
    only: 'wasm' as const,
  })),
];

const tell = (reply: BenchReply): void => postMessage(reply);

async function switchTo(name: string): Promise<void> {
  if (getBackend() === name) return;
  await setBackend(name);
  await ready();
}

async function armOf(name: string, on: string, { shapes }: Case, f: Case['ours']): Promise<Required<Omit<Arm, 'note'>>> {
  await switchTo(on);
  const inputs = shapes.map((shape, at) =>
    tensor(random(at + 1).normal(shape.reduce((product, length) => product * length, 1)), [...shape]),
  );
  let last: Tensor | undefined;
  return {
    name,
    enter: () => switchTo(on),
    run: () => {
      last?.dispose();
      last = tidy(() => f(...inputs));
    },
    // A GPU runs behind: one number comes back when all is done.
    finish: async () => {
      const one = tidy(() => slice(reshape(last!, [-1]), 0, 1));
      await one.data();
      one.dispose();
    },
    read: async () => {
      await switchTo(on);
      const y = tidy(() => f(...inputs));
      const values = (await y.data()) as Float32Array;
      y.dispose();
      return { y: values };
    },
    dispose: () => dispose([...inputs, ...(last ? [last] : [])]),
  };
}

const middle = (wall: readonly (number | undefined)[]): number => median(wall.filter((sample) => sample !== undefined));

async function measure(which: Case, { backend: name, rounds }: BenchRequest, onRound: (round: number) => void): Promise<BenchResult> {
  const ours = await armOf('ours', name, which, which.ours);
  const theirs = await armOf('theirs', name === 'wasm' ? STOCK : name, which, which.theirs);
  const [mineIs, otherIs] = [await ours.read(), await theirs.read()];
  const same = mineIs['y']!.every((value, i) => Math.abs(value - otherIs['y']![i]!) <= TOLERANCE * (1 + Math.abs(value)));
  if (!same) throw new Error(`${which.name}: both sides do not compute the same here.`);
  const samples = await interleave([ours, theirs], {
    rounds,
    budget: BUDGET,
    clock: { now: () => performance.now(), cpu: () => 0 },
    onRound,
  });
  ours.dispose();
  theirs.dispose();
  const [mine, other] = [samples.get('ours')!.wall, samples.get('theirs')!.wall];
  const { ratio, p10, p90 } = pairedRatio(other, mine);
  return { name: which.name, ours: middle(mine), theirs: middle(other), ratio, p10, p90 };
}

async function run(request: BenchRequest): Promise<void> {
  const { detail } = await backend(request.backend);
  // Else tfjs' small ops run in JavaScript.
  if (request.backend === 'webgpu') env().set('WEBGPU_CPU_FORWARD', false);
  const chosen = cases.filter(({ only }) => only === undefined || only === request.backend);
  for (const [at, which] of chosen.entries()) {
    const progress = (round: number): void =>
      tell({ kind: 'progress', name: which.name, done: at * request.rounds + round, total: chosen.length * request.rounds });
    progress(0);
    tell({ kind: 'result', result: await measure(which, request, progress) });
  }
  tell({ kind: 'done', backend: detail });
}

addEventListener('message', ({ data }: MessageEvent<BenchRequest>) => {
  run(data).catch((error: unknown) => tell({ kind: 'failed', message: error instanceof Error ? error.message : String(error) }));
});
