import { digits, markdown, table } from '../harness/table.ts';
import type { ArmResult, Report, RowResult } from './results.ts';
import type { Target } from './targets.ts';

type Context = Pick<Report, 'ceilings' | 'copy'>;

const percent = (part: number, whole: number): string => `${Math.round((100 * part) / whole)}%`;

/** The share of what bounds the row: multiply-adds a second in registers, or bytes a second of a copy. */
function share({ bound }: RowResult, arm: ArmResult, { ceilings, copy }: Context): string {
  if (bound === 'multiply-adds' && arm.bestGigaflops !== undefined)
    return percent(arm.bestGigaflops, ceilings[arm.arm.endsWith('fma') ? 'fma' : 'plain'].best);
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
    'a ratio is the median over rounds of the two times of a round. Above 1 the peer takes longer than we do. Absolute times say little on a',
    'shared machine: run it on yours, `pnpm bench wasm`.',
    '',
    `One core does ${digits(ceilings.plain.best)} GFLOP/s of plain multiply-adds in registers and ${digits(ceilings.fma.best)} fused; a copy`,
    `beyond the caches moves ${digits(copy)} GB/s. "of bound" is the share of the one that bounds the row.`,
    `Compared: ${Object.entries(versions)
      .map(([name, version]) => `${name} ${version}`)
      .join(', ')}.`,
    '',
    ...groups.flatMap((group) => [`## ${group}`, '', markdown(head, rows.filter((row) => row.group === group).map(line)), '']),
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
