import { digits, megabytes, table } from '../harness/table.ts';
import type { ArmResult, CaseResult, Target } from './results.ts';

function row({
  arm,
  note,
  median,
  p10,
  p90,
  cpu,
  samples,
  callsPerSample,
  timesEvenkeel,
  gigabytesPerSecond,
  shareOfCopy,
  gpu,
}: ArmResult): string[] {
  const times = timesEvenkeel ? `${digits(timesEvenkeel.ratio)} (${digits(timesEvenkeel.p10)}-${digits(timesEvenkeel.p90)})` : '';
  return [
    arm,
    digits(median),
    digits(p10),
    digits(p90),
    digits(cpu),
    times,
    digits(gigabytesPerSecond),
    `${Math.round(shareOfCopy * 100)}%`,
    ...(gpu ? [`${gpu.dispatches}`, megabytes(gpu.bytes)] : []),
    `${samples}x${callsPerSample}`,
    note ?? '',
  ];
}

/** One case as a heading, a table, and what was left out. */
export function printCase({ backend, op, pass, shape, arms, leftOut, withoutKernel }: CaseResult): string {
  const onGpu = arms.some(({ gpu }) => gpu !== undefined);
  const gpuColumns = onGpu ? ['dispatches', 'moved'] : [];
  const head = ['arm', 'median ms', 'p10', 'p90', 'cpu ms', 'times ours (p10-p90)', 'GB/s', 'of copy', ...gpuColumns, 'samples', ''];
  const align = head.map((_, column) => (column === 0 || column === head.length - 1 ? ('left' as const) : ('right' as const)));
  const lines = [`\n${op} ${pass} [${shape.join(', ')}] on ${backend}`, table(head, arms.map(row), align)];
  if (leftOut.length > 0) lines.push(`left out: ${leftOut.map(({ arm, reason }) => `${arm} (${reason})`).join(', ')}`);
  if (withoutKernel.length > 0) lines.push(`!!! evenkeel ran without its kernels, this is not its speed: ${withoutKernel.join('; ')}`);
  return lines.join('\n');
}

export function printTargets(found: readonly Target[]): string {
  const rows = found.map(({ what, wanted, found, reached }) => [what, wanted, found, reached ? 'reached' : 'NOT REACHED']);
  return `\nTargets\n${table(['', 'wanted', 'found', ''], rows, ['left', 'right', 'right', 'left'])}`;
}
