// What the WASM engine is to reach, read off the measured rows.
import { digits } from '../harness/table.ts';
import type { ArmResult, Report, RowResult } from './results.ts';

export interface Target {
  readonly what: string;
  readonly wanted: string;
  readonly found: string;
  readonly reached: boolean;
}

const PLAIN = 'evenkeel';
const FMA = 'evenkeel-fma';
const THREADS = 'evenkeel-threads';

const armOf = ({ arms }: RowResult, name: string): ArmResult | undefined => arms.find(({ arm }) => arm === name);

/** How many times as long as ours (the plain kernels, or `against`) a peer takes. */
function times(row: RowResult, peer: string, against = PLAIN): number | undefined {
  const ratio = armOf(row, peer)?.timesEvenkeel?.ratio;
  if (ratio === undefined || against === PLAIN) return ratio;
  const own = armOf(row, against)?.timesEvenkeel?.ratio;
  return own === undefined ? undefined : ratio / own;
}

function atLeast(what: string, found: number | undefined, wanted: number, unit = 'x'): Target[] {
  if (found === undefined) return [];
  return [{ what, wanted: `>= ${wanted}${unit}`, found: `${digits(found)}${unit}`, reached: found >= wanted }];
}

/** Speed per operation of `row` over that of `other`, which is to be no slower than `share`. */
function perOperation(what: string, row: RowResult | undefined, other: RowResult | undefined, share: number): Target[] {
  const [mine, theirs] = [row, other].map((each) => each && armOf(each, PLAIN)?.bestGigaflops);
  if (mine === undefined || theirs === undefined) return [];
  return atLeast(`${what}, speed per operation (best of runs)`, mine / theirs, share);
}

function productTargets(find: (name: string) => RowResult | undefined, { ceilings }: Report): Target[] {
  const square = find('512x512x512 NN');
  if (square === undefined) return [];
  const share = (arm: string, { best }: { best: number }): number | undefined => {
    const found = armOf(square, arm)?.bestGigaflops;
    return found === undefined ? undefined : found / best;
  };
  return [
    ...atLeast('512x512x512, share of the plain ceiling (best of runs)', share(PLAIN, ceilings.plain), 0.8, ''),
    ...atLeast('512x512x512 with FMA, share of the FMA ceiling (best of runs)', share(FMA, ceilings.fma), 0.85, ''),
    ...atLeast('512x512x512 against tfjs-wasm', times(square, 'tfjs-wasm'), 1.15),
    ...atLeast('512x512x512 with FMA against tfjs-wasm', times(square, 'tfjs-wasm', FMA), 1.5),
    ...atLeast('512x512x512 against onnxruntime-web', times(square, 'onnxruntime-web'), 1.4),
    ...atLeast('512x512x512 with FMA against onnxruntime-web', times(square, 'onnxruntime-web', FMA), 1.9),
    ...['NT', 'TN', 'TT'].flatMap((form) => perOperation(`512x512x512 ${form} beside NN`, find(`512x512x512 ${form}`), square, 0.9)),
    ...perOperation('64x2048x512 beside 512x512x512', find('64x2048x512 NN'), square, 0.8),
    ...perOperation('64 of 64x64x64 beside 512x512x512', find('64 of 64x64x64 NN'), square, 0.8),
  ];
}

function convolutionTargets(rows: readonly RowResult[]): Target[] {
  return rows
    .filter(({ name }) => name.endsWith('forward'))
    .flatMap((forward) => {
      const title = forward.name.slice(0, -' forward'.length);
      const gradients = ['input gradient', 'filter gradient'].map((pass) => rows.find(({ name }) => name === `${title} ${pass}`));
      const plain = title.startsWith('3x3 [');
      return [
        ...(plain ? atLeast(`${forward.name} against tfjs-wasm`, times(forward, 'tfjs-wasm'), 1.3) : []),
        ...(plain ? atLeast(`${forward.name} with FMA against tfjs-wasm`, times(forward, 'tfjs-wasm', FMA), 1.8) : []),
        ...gradients.flatMap((row) => perOperation(`${row?.name} beside forward`, row, forward, plain ? 0.85 : 0.65)),
      ];
    });
}

/** Depthwise: both gradients at least as fast as tfjs' forward. */
function depthwiseTargets(rows: readonly RowResult[]): Target[] {
  return rows
    .filter(({ name }) => name.endsWith('forward'))
    .flatMap((forward) => {
      const theirs = armOf(forward, 'tfjs-wasm')?.median;
      const title = forward.name.slice(0, -' forward'.length);
      return rows
        .filter(({ name }) => name.startsWith(title) && name !== forward.name)
        .flatMap((row) => {
          const ours = armOf(row, PLAIN)?.median;
          return theirs === undefined || ours === undefined ? [] : atLeast(`${row.name} beside tfjs-wasm's forward`, theirs / ours, 1);
        });
    });
}

/** Two threads: a gain on large products, a loss nowhere. */
function threadTargets(rows: readonly RowResult[]): Target[] {
  const gains = rows.flatMap((row) => {
    const ratio = times(row, THREADS);
    return ratio === undefined ? [] : [{ row, gain: 1 / ratio }];
  });
  const large = gains.filter(({ row: { group, name } }) => group === 'matMul' && name.startsWith('1024x1024x1024'));
  const others = gains.filter((each) => !large.includes(each));
  const slowest = others.toSorted((a, b) => a.gain - b.gain)[0];
  return [
    ...large.flatMap(({ row, gain }) => atLeast(`${row.name} on two threads, against one`, gain, 1.35)),
    ...(slowest
      ? atLeast(`all else on two threads, against one: least at ${slowest.row.group} ${slowest.row.name}`, slowest.gain, 0.95)
      : []),
  ];
}

/** All bars that the report can tell of. */
export function targets(report: Report): Target[] {
  const { rows } = report;
  const group = (name: string): RowResult[] => rows.filter((row) => row.group === name);
  return [
    ...productTargets((name) => rows.find((row) => row.group === 'matMul' && row.name === name), report),
    ...convolutionTargets(group('conv2d')),
    ...depthwiseTargets(group('depthwise')),
    ...group('softmax').flatMap((row) => atLeast(`softmax ${row.name} against tfjs-wasm`, times(row, 'tfjs-wasm'), 1.5)),
    ...group('training step').flatMap((row) => [
      ...atLeast(`${row.name}, against tfjs-cpu`, times(row, 'tfjs-cpu'), 10),
      ...atLeast(`${row.name}, against tfjs-wasm`, times(row, 'tfjs-wasm'), 8),
    ]),
    ...threadTargets(rows),
  ];
}
