import type { BackendChoice } from '@evenkeel/core';
import type { Style } from '../terminal/colour.ts';
import { table, wrap } from '../terminal/text.ts';
import type { DoctorReport } from './doctor.ts';

const NAME_WIDTH = 8;

/** The backends, one below the other: the one that runs marked, the others with what they lack. */
export function backendLines(backends: DoctorReport['backends'], chosen: BackendChoice, style: Style): string {
  const indent = ' '.repeat(4 + NAME_WIDTH);
  return backends
    .map(({ name, available, detail, features = [] }) => {
      const mark = name === chosen.name ? style.good('>') : ' ';
      const label = name.padEnd(NAME_WIDTH);
      const told = features.length > 0 ? `${detail} (${features.join(', ')})` : detail;
      return `  ${mark} ${available ? style.bold(label) : style.dim(label)}${wrap(told, { indent })}`;
    })
    .join('\n');
}

/** Why this one runs. */
export function choiceLine({ name, passedOver }: BackendChoice, requested: string): string {
  if (requested !== 'auto') return `Takes ${name}, as asked.`;
  const others = passedOver.map((other) => other.name).join(' and ');
  return `Takes ${name}: the best there is${others === '' ? '' : ` here without ${others}`}.`;
}

const yesNo = (value: boolean): string => (value ? 'yes' : 'no');

export function printDoctor(report: DoctorReport, style: Style): string {
  const { evenkeel, tensorflow, machine, backends, auto, missing } = report;
  const lines = [
    style.bold('Packages'),
    table([...Object.entries(evenkeel), ...Object.entries(tensorflow)]),
    '',
    style.bold('Machine'),
    table([
      ['Node', `${machine.node} (V8 ${machine.v8})`],
      ['platform', machine.platform],
      ['processor', `${machine.processor}, ${machine.parallelism} at once`],
      ['WASM SIMD', yesNo(report.wasm.simd)],
      ['relaxed SIMD', yesNo(report.wasm.relaxedSimd)],
      ['WASM threads', report.wasm.threads ? 'on request: wasm({ threads: 2 })' : 'no'],
    ]),
    '',
    style.bold('Backends'),
    backendLines(backends, auto, style),
    `  ${wrap(choiceLine(auto, 'auto'), { indent: '  ' })}`,
  ];
  if (missing.length > 0) {
    lines.push('', style.bold('Missing'));
    for (const { what, remedy } of missing) {
      lines.push(`  - ${wrap(what, { indent: '    ' })}`, `    ${style.dim(wrap(remedy, { indent: '    ' }))}`);
    }
  }
  return lines.join('\n');
}
