import { digits, markdown, table } from '../harness/table.ts';
import type { ArmResult, Report, RowResult } from './results.ts';
import type { Target } from './targets.ts';

type Context = Pick<Report, 'ceilings' | 'copy'>;

const percent = (part: number, whole: number): string => `${Math.round((100 * part) / whole)}%`;

/**
 * Of the operations of a softmax on four numbers (greatest, difference, exponential, sum, scaling) those that compete for the busier units of a
 * core: additions and comparisons, twelve of twenty; with fused multiply-add the multiplications, eight.
 */
const EXPONENTIAL = { plain: 12, fma: 8 };

/** The share of what bounds the row: operations a second in registers, or bytes a second of a copy. */
function share({ bound }: RowResult, arm: ArmResult, { ceilings, copy }: Context): string {
  const kind = arm.arm.endsWith('fma') ? 'fma' : 'plain';
  // The ceiling counts eight for a multiplication and an addition of four numbers, which are read and written once: 32 bytes.
  if (bound === 'exponentials' && arm.gigabytesPerSecond !== undefined)
    return percent(arm.gigabytesPerSecond / 32, ceilings[kind].best / 8 / EXPONENTIAL[kind]);
  if (bound === 'multiply-adds' && arm.bestGigaflops !== undefined) return percent(arm.bestGigaflops, ceilings[kind].best);
  if (bound !== 'multiply-adds' && arm.gigabytesPerSecond !== undefined) return percent(arm.gigabytesPerSecond, copy);
  return '';
}

const HEAD = ['arm', 'median ms', 'best', 'p90', 'times ours (p10-p90)', 'GFLOP/s', 'best', 'GB/s', 'of bound', 'samples'];

function cells(row: RowResult, arm: ArmResult, context: Context): string[] {
  const { timesEvenkeel: times } = arm;
  return [
    arm.arm,
    digits(arm.median),
    digits(arm.best),
    digits(arm.p90),
    times ? `${digits(times.ratio)} (${digits(times.p10)}-${digits(times.p90)})` : '',
    arm.gigaflops === undefined ? '' : digits(arm.gigaflops),
    arm.bestGigaflops === undefined ? '' : digits(arm.bestGigaflops),
    arm.gigabytesPerSecond === undefined ? '' : digits(arm.gigabytesPerSecond),
    share(row, arm, context),
    `${arm.samples}`,
  ];
}

export function printRow(row: RowResult, context: Context): string {
  const lines = [
    `\n${row.group} ${row.name}`,
    table(
      HEAD,
      row.arms.map((arm) => cells(row, arm, context)),
    ),
  ];
  if (row.leftOut.length > 0) lines.push(`left out: ${row.leftOut.map(({ arm, reason }) => `${arm} (${reason})`).join(', ')}`);
  return lines.join('\n');
}

export function printTargets(found: readonly Target[]): string {
  const rows = found.map(({ what, wanted, found: figure, reached }) => [what, wanted, figure, reached ? 'reached' : 'NOT REACHED']);
  return `\nTargets\n${table(['', 'wanted', 'found', ''], rows, ['left', 'right', 'right', 'left'])}`;
}

const time = (row: RowResult, name: string): number | undefined => row.arms.find(({ arm }) => arm === name)?.median;

const over = (a: number | undefined, b: number | undefined): string => (a === undefined || b === undefined ? '-' : digits(a / b));

function ratio(row: RowResult, name: string): string {
  const found = row.arms.find(({ arm }) => arm === name)?.timesEvenkeel?.ratio;
  return found === undefined ? '-' : digits(found);
}

/** Training steps elsewhere: in a page, in PyTorch, and without any kernel. */
function trainingElsewhere({ rows, chromium, pytorch }: Report): string[] {
  const steps = rows.filter(({ group }) => group === 'training step');
  const lines: string[] = [];
  const kept = steps.filter(({ bookkeeping }) => bookkeeping !== undefined);
  if (kept.length > 0) {
    const head = ['', 'calls of kernels', 'of these alone, ms (best)', 'our step, ms (best)', 'share', 'tfjs-wasm, times these'];
    lines.push(
      "tfjs' own bookkeeping bounds a step of small kernels. The same step with kernels that compute nothing and only allocate their results:",
      '',
      markdown(
        head,
        kept.map((row) => {
          const { calls, best } = row.bookkeeping!;
          const ours = row.arms.find(({ arm }) => arm === 'evenkeel')!.best;
          const theirs = row.arms.find(({ arm }) => arm === 'tfjs-wasm')?.best;
          return [row.name, `${calls}`, digits(best), digits(ours), percent(best, ours), over(theirs, best)];
        }),
      ),
      '',
    );
  }
  if (pytorch) {
    const head = ['', 'PyTorch, ms', 'its time over ours', 'over ours with FMA'];
    lines.push(
      `PyTorch ${pytorch.torch}, Python ${pytorch.python}, on ${pytorch.threads} thread of the same machine, timed by hand with \`bench/wasm/pytorch.py\`:`,
      '',
      markdown(
        head,
        steps.map((row) => {
          const found = pytorch.steps[row.name.split(':')[0]!]?.median;
          return [
            row.name,
            found === undefined ? '-' : digits(found),
            over(found, time(row, 'evenkeel')),
            over(found, time(row, 'evenkeel-fma')),
          ];
        }),
      ),
      '',
    );
  }
  if (chromium) {
    lines.push(
      `### In Chromium ${chromium.version}`,
      '',
      'In a cross-origin isolated page, where threads can be had:',
      '',
      markdown(
        ['', 'ours, ms', 'evenkeel-fma, times ours', 'evenkeel on two threads, times ours', 'tfjs-wasm, times ours'],
        chromium.rows.map((row) => [
          row.name,
          digits(time(row, 'evenkeel') ?? NaN),
          ...['evenkeel-fma', 'evenkeel-threads', 'tfjs-wasm'].map((name) => ratio(row, name)),
        ]),
      ),
      '',
    );
  }
  return lines;
}

/** The page that shows a report: regenerated with it, never edited. */
export function page(report: Report, found: readonly Target[]): string {
  const { machine, ceilings, copy, rows, versions, date } = report;
  const peers = ['evenkeel-fma', 'tfjs-wasm', 'onnxruntime-web', 'onnxruntime-node', 'tfjs-cpu'];
  const line = (row: RowResult): string[] => {
    const ours = row.arms.find(({ arm }) => arm === 'evenkeel')!;
    const ratios = peers.map((peer) => {
      const ratio = row.arms.find(({ arm }) => arm === peer)?.timesEvenkeel?.ratio;
      return ratio === undefined ? '-' : digits(ratio);
    });
    return [
      row.name,
      digits(ours.median),
      ours.bestGigaflops === undefined ? '' : digits(ours.bestGigaflops),
      share(row, ours, report),
      row.bound,
      ...ratios,
    ];
  };
  const groups = [...new Set(rows.map(({ group }) => group))];
  const head = ['', 'ours, ms', 'GFLOP/s, best', 'of bound', 'bound', ...peers.map((peer) => `${peer}, times ours`)];
  return [
    '# The WASM engine beside its peers',
    '',
    '<!-- Written by the bench: pnpm bench wasm --json bench/results/wasm.json --page docs/performance/wasm.md -->',
    '',
    `Measured on ${date}: ${machine.cpu}, ${machine.cores} cores, Node ${machine.node}. All arms ran in one process, in turns, on the same data;`,
    'a ratio is the median over rounds of the two times of a round. Above 1 the peer takes longer than we do. Rows may be of several runs',
    '(`--keep`). Absolute times say little on a shared machine: run it on yours, `pnpm bench wasm`.',
    '',
    `One core does ${digits(ceilings.plain.best)} GFLOP/s of plain multiply-adds in registers and ${digits(ceilings.fma.best)} fused; a copy`,
    `beyond the caches moves ${digits(copy)} GB/s. "of bound" is the share of the one that bounds the row; exponentials are bound by additions`,
    'and comparisons in registers, twelve for four numbers.',
    `Compared: ${Object.entries(versions)
      .map(([name, version]) => `${name} ${version}`)
      .join(', ')}.`,
    '',
    ...groups.flatMap((group) => [`## ${group}`, '', markdown(head, rows.filter((row) => row.group === group).map(line)), '']),
    ...trainingElsewhere(report),
    '## Targets',
    '',
    markdown(
      ['', 'wanted', 'found', ''],
      found.map(({ what, wanted, found: figure, reached }) => [what, wanted, figure, reached ? 'reached' : '**not reached**']),
    ),
    '',
    'Left out, because they cannot run it:',
    '',
    ...rows.flatMap(({ name, leftOut }) => leftOut.map(({ arm, reason }) => `- ${name}: ${arm} (${reason})`)),
    '',
  ].join('\n');
}
