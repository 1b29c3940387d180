import type { Command } from 'commander';
import { styleFor } from '../terminal/colour.ts';
import { addExamples, carryOut, print } from './command.ts';

export function addDoctor(program: Command): void {
  const command = program
    .command('doctor')
    .summary('shows what this machine can do')
    .description(
      'Shows what this machine can do: versions, WASM, WebGPU, which backend is taken and why, what is missing and how to get it.',
    )
    .option('--json', 'print one JSON document instead')
    .action(({ json }: { json?: true }) =>
      carryOut(async () => {
        // Loaded only now: help needs no TensorFlow.js.
        const { doctor } = await import('../doctor/doctor.ts');
        const report = await doctor();
        if (json) print(JSON.stringify(report, undefined, 2));
        else {
          const { printDoctor } = await import('../doctor/print.ts');
          print(printDoctor(report, styleFor(process.stdout)));
        }
        return 0;
      }),
    );
  addExamples(command, [
    ['evenkeel doctor', 'for people'],
    ['evenkeel doctor --json', 'for programs, and for bug reports'],
  ]);
}
