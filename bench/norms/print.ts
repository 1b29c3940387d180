import { digits, markdown, megabytes, table } from '../harness/table.ts';
import type { ArmResult, CaseResult, Report, Target } from './results.ts';

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

/** A table of the cases of one backend: ours, and how many times longer each peer takes. */
function overview(cases: readonly CaseResult[]): string {
  const peers = [...new Set(cases.flatMap(({ arms }) => arms.map(({ arm }) => arm)))].filter((arm) => arm !== 'evenkeel' && arm !== 'copy');
  const onGpu = cases.some(({ arms }) => arms.some(({ gpu }) => gpu !== undefined));
  const head = ['', 'ours, ms', 'of copy', ...(onGpu ? ['dispatches', 'moved'] : []), ...peers.map((peer) => `${peer}, times ours`)];
  const rows = cases.map(({ op, pass, shape, arms }) => {
    const ours = arms.find(({ arm }) => arm === 'evenkeel')!;
    const ratios = peers.map((name) => {
      const peer = arms.find(({ arm }) => arm === name);
      return peer?.timesEvenkeel ? `${digits(peer.timesEvenkeel.ratio)} (${digits(peer.cpu / ours.cpu)})` : '-';
    });
    return [
      `${op} ${pass} [${shape.join(', ')}]`,
      digits(ours.median),
      `${Math.round(ours.shareOfCopy * 100)}%`,
      ...(onGpu ? [String(ours.gpu?.dispatches ?? '-'), megabytes(ours.gpu?.bytes)] : []),
      ...ratios,
    ];
  });
  return markdown(head, rows);
}

/** The page that shows a report: regenerated with it, never edited. */
export function page({ machine, date, versions, adapter, cases, targets }: Report): string {
  const backends = [...new Set(cases.map(({ backend }) => backend))];
  return [
    '# The norms beside their peers',
    '',
    '<!-- Written by the bench: pnpm bench norms --json bench/results/norms.json --page bench/results/norms.md -->',
    '',
    `Measured on ${date}: ${machine.cpu}, ${machine.cores} cores, Node ${machine.node}, load ${machine.load} at the start. All arms of a case ran in one process, in`,
    'turns, on the same data, after their results had been compared with the formulas in double precision. A ratio is the median over rounds of',
    'the two times of a round, and in brackets the quotient of processor times, which neighbours on the machine touch less; above 1 the peer takes',
    'longer than we do. Absolute times say little on a shared machine: run it on yours.',
    '',
    '"composed" is the norm written with tfjs-core ops on tfjs as it is, "composed-here" the same on our WASM engine, "tfjs-layers" its own layer.',
    'onnxruntime runs one thread and infers only; it has its channels first in batch and group norm. "of copy" compares the bytes a second that',
    'the norm cannot avoid to move with those of a plain copy of x, which a shape that fits the caches makes out of them.',
    '',
    `Compared: ${Object.entries(versions)
      .map(([name, version]) => `${name} ${version}`)
      .join(', ')}.`,
    '',
    ...backends.flatMap((backend) => [
      `## ${backend}`,
      '',
      ...(backend === 'webgpu' && adapter !== undefined
        ? [`${adapter}. On a software adapter times say little: read dispatches and bytes.`, '']
        : []),
      overview(cases.filter((each) => each.backend === backend)),
      '',
    ]),
    '## Targets',
    '',
    markdown(
      ['', 'wanted', 'found', ''],
      targets.map(({ what, wanted, found, reached }) => [what, wanted, found, reached ? 'reached' : '**not reached**']),
    ),
    '',
  ].join('\n');
}
