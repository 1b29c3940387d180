import type { Command } from 'commander';
import { styleFor } from '../terminal/colour.ts';
import { addExamples, carryOut, print } from './command.ts';

export function addInspect(program: Command): void {
  const command = program
    .command('inspect')
    .summary('shows what a plugin registers, and whether it holds')
    .description(
      'Shows what the plugin of an installed package registers: its ops with their signatures, which backends have kernels for them, its ' +
        'layers; and, where the package says by its entry point ./checks what to call it with, the table of checkPlugin on this machine.',
    )
    .argument('<package>', 'the name of a package that is installed here')
    .option('--no-check', 'only look, call nothing')
    .option('--json', 'print one JSON document instead')
    .action((name: string, { json, check }: { json?: true; check: boolean }) =>
      carryOut(async () => {
        // Loaded only now: help needs no TensorFlow.js.
        const [{ inspectPackage }, { env }] = await Promise.all([import('../inspect/inspect.ts'), import('@tensorflow/tfjs-core')]);
        // tfjs' cpu backend else advises to install tfjs-node.
        env().set('PROD', true);
        const report = await inspectPackage(name, { check });
        if (json) print(JSON.stringify(report, undefined, 2));
        else {
          const { printInspect } = await import('../inspect/print.ts');
          print(printInspect(report, styleFor(process.stdout)));
        }
        return report.checks === undefined || report.checks.failures.length === 0 ? 0 : 1;
      }),
    );
  addExamples(command, [
    ['evenkeel inspect @evenkeel/norms', 'what the norms register'],
    ['evenkeel inspect evenkeel-plugin-my-norm', "somebody's plugin, checked on the backends of this machine"],
  ]);
}
