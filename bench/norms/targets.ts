import { digits } from '../harness/table.ts';
import type { BackendName, OpName, Pass } from './cases.ts';
import type { ArmResult, CaseResult, Target } from './results.ts';

/** What the norms are to reach. A number of times is that of {@link ArmResult.timesEvenkeel}; the other bars count dispatches. */
interface Bar {
  readonly backend: BackendName;
  readonly ops: readonly OpName[];
  readonly pass: Pass;
  /** Default: all shapes. */
  readonly shapes?: readonly (readonly number[])[];
  /** Against the fastest of these arms. */
  readonly against: readonly string[];
  readonly times: number;
}

const CACHED = [
  [256, 768],
  [1024, 768],
];
const L1: readonly OpName[] = ['l1LayerNorm', 'l1BatchNorm'];
const OF_SQUARES: readonly OpName[] = ['rmsNorm', 'crmsNorm'];
const OF_SAMPLES: readonly OpName[] = ['l1LayerNorm', 'conditionalNorm', 'groupNorm', 'evoNormS0', 'unMixNorm'];
const OF_BATCHES: readonly OpName[] = ['batchNorm', 'l1BatchNorm', 'evoNormB0', 'powerNorm', 'unifiedNorm', 'regionNorm'];
const ACTIVATED: readonly OpName[] = ['layerNormSilu', 'layerNormGelu', 'rmsNormSilu', 'groupNormSilu'];
const ALL: readonly OpName[] = ['layerNorm', ...OF_SQUARES, ...OF_SAMPLES, ...OF_BATCHES, 'weightStandardization', ...ACTIVATED];

const bars: readonly Bar[] = [
  { backend: 'wasm', ops: ['layerNorm'], pass: 'forward', shapes: CACHED, against: ['jax-js', 'onnxruntime-web'], times: 4 },
  { backend: 'wasm', ops: ['layerNorm'], pass: 'forward', shapes: CACHED, against: ['onnxruntime-node'], times: 1 },
  { backend: 'wasm', ops: ['layerNorm'], pass: 'forward', shapes: [[4096, 768]], against: ['composed'], times: 4 },
  { backend: 'wasm', ops: OF_SQUARES, pass: 'forward', against: ['composed'], times: 2.5 },
  { backend: 'wasm', ops: ACTIVATED, pass: 'forward', against: ['apart'], times: 1.1 },
  { backend: 'wasm', ops: OF_SAMPLES, pass: 'forward', against: ['composed'], times: 3.5 },
  { backend: 'wasm', ops: OF_BATCHES, pass: 'forward', against: ['composed'], times: 4 },
  { backend: 'wasm', ops: ALL, pass: 'forward+backward', against: ['composed'], times: 5 },
  { backend: 'wasm', ops: ['layerNorm'], pass: 'forward+backward', against: ['tfjs-layers'], times: 100 },
  { backend: 'wasm', ops: L1, pass: 'forward', against: ['l2-twin'], times: 1.35 },
  { backend: 'webgpu', ops: ALL, pass: 'forward', against: ['composed'], times: 3 },
  { backend: 'webgpu', ops: ALL, pass: 'forward+backward', against: ['composed'], times: 3 },
];

/** The most dispatches forward and backward: statistics of a batch cross workgroups, so that they take one more. */
const dispatches: Readonly<Record<OpName, readonly [forward: number, backward: number]>> = {
  layerNorm: [1, 2],
  rmsNorm: [1, 2],
  groupNorm: [2, 3],
  batchNorm: [2, 3],
  l1LayerNorm: [1, 2],
  // Deviations are from a mean that all workgroups must know first.
  l1BatchNorm: [3, 3],
  crmsNorm: [1, 2],
  conditionalNorm: [1, 2],
  evoNormS0: [1, 2],
  evoNormB0: [2, 3],
  powerNorm: [2, 3],
  unifiedNorm: [2, 3],
  regionNorm: [2, 3],
  unMixNorm: [2, 3],
  weightStandardization: [1, 1],
  layerNormSilu: [1, 2],
  layerNormGelu: [1, 2],
  rmsNormSilu: [1, 2],
  groupNormSilu: [2, 3],
};

const isSame = (a: readonly number[], b: readonly number[]): boolean => a.join() === b.join();

const describe = ({ backend, op, pass, shape }: CaseResult): string => `${backend} ${op} ${pass} [${shape.join(',')}]`;

function ratioTarget(which: CaseResult, { against, times }: Bar): Target | undefined {
  const peers = which.arms.filter(({ arm, timesEvenkeel }) => against.includes(arm) && timesEvenkeel !== undefined);
  const best = peers.toSorted((a, b) => a.median - b.median)[0];
  if (best?.timesEvenkeel === undefined) return undefined;
  const { ratio } = best.timesEvenkeel;
  const peer = against.length > 1 ? `${best.arm}, best of ${against.join(' and ')}` : best.arm;
  const reached = ratio >= times && which.withoutKernel.length === 0;
  return { what: `${describe(which)} against ${peer}`, wanted: `>= ${times}x`, found: `${digits(ratio)}x`, reached };
}

const ours = (which: CaseResult | undefined): ArmResult | undefined => which?.arms.find(({ arm }) => arm === 'evenkeel');

function dispatchTarget(which: CaseResult, cases: readonly CaseResult[]): Target | undefined {
  const { op, pass, shape, backend } = which;
  const found = ours(which)?.gpu?.dispatches;
  if (found === undefined) return undefined;
  const [forward, backward] = dispatches[op];
  if (pass === 'forward') {
    return { what: `${describe(which)}, dispatches`, wanted: `<= ${forward}`, found: `${found}`, reached: found <= forward };
  }
  const before = cases.find((each) => each.backend === backend && each.op === op && each.pass === 'forward' && isSame(each.shape, shape));
  const used = found - (ours(before)?.gpu?.dispatches ?? 0);
  return { what: `${describe(which)}, dispatches backward`, wanted: `<= ${backward}`, found: `${used}`, reached: used <= backward };
}

/** The bars that the measured cases can tell of. */
export function targets(cases: readonly CaseResult[]): Target[] {
  return cases
    .flatMap((which) => [
      ...bars
        .filter(({ backend, ops, pass, shapes }) => {
          const fits = which.backend === backend && ops.includes(which.op) && which.pass === pass;
          return fits && (shapes === undefined || shapes.some((shape) => isSame(shape, which.shape)));
        })
        .map((bar) => ratioTarget(which, bar)),
      dispatchTarget(which, cases),
    ])
    .filter((target) => target !== undefined);
}
