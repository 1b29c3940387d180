import { formatReport } from '@evenkeel/core/testing';
import type { Style } from '../terminal/colour.ts';
import { table } from '../terminal/text.ts';
import type { InspectReport } from './inspect.ts';

export function printInspect({ name, version, ops, classes, kernels, providers, checks }: InspectReport, style: Style): string {
  const lines = [style.bold(`${name} ${version}`)];
  const part = (title: string, rows: string[][]): void => {
    if (rows.length > 0) lines.push('', style.bold(title), table(rows));
  };
  part(
    'Ops',
    ops.map(({ signature, gradient }) => [signature, `gradient ${gradient}`]),
  );
  part('Served by', [
    ...(ops.length > 0 ? [['', 'cpu', 'wasm', 'webgpu']] : []),
    ...ops.map(({ id, backends }) => [id, backends.cpu, backends.wasm, backends.webgpu]),
  ]);
  part(
    'Layers and other classes',
    classes.map((each) => [each]),
  );
  part(
    'Kernels for ops of others',
    kernels.map(({ op, backend }) => [op, backend]),
  );
  part(
    'Backends',
    providers.map((each) => [each]),
  );
  lines.push('', style.bold('Checks'));
  lines.push(checks === undefined ? '  not run: the package has no entry point ./checks, or --no-check was given' : formatReport(checks));
  return lines.join('\n');
}
