import { Option, type Command } from 'commander';
import { styleFor } from '../terminal/colour.ts';
import type { TourOptions } from '../tour/tour.ts';
import { addExamples, carryOut, integer, print } from './command.ts';
import { repositoryAbove } from './in-repository.ts';

type Given = Pick<TourOptions, 'backend' | 'seed' | 'steps' | 'digits' | 'out'> & { json?: true };

async function run({ json, ...options }: Given, signal: AbortSignal): Promise<number> {
  // Loaded only now: help needs no TensorFlow.js.
  const [{ tour }, { farewell, printPart }, { progressOn }, { env }] = await Promise.all([
    import('../tour/tour.ts'),
    import('../tour/print.ts'),
    import('../progress.ts'),
    import('@tensorflow/tfjs-core'),
  ]);
  // tfjs' cpu backend else advises to install tfjs-node.
  env().set('PROD', true);
  const style = styleFor(process.stdout);
  const progress = progressOn();
  try {
    const report = await tour({
      ...options,
      signal,
      onProgress: progress.show,
      onPart: (part) => {
        if (!json) print(printPart(part, style));
      },
    });
    print(json ? JSON.stringify(report) : farewell(repositoryAbove(import.meta.dirname) !== undefined, style));
    return report.training.curvesAgree && report.saved.bitEqual ? 0 : 1;
  } finally {
    progress.clear();
  }
}

export function addTour(program: Command): void {
  const command = program
    .command('tour')
    .summary('trains on real handwritten digits, with ours and without')
    .description(
      'Shows the main thing working: trains a small network on real handwritten digits (MNIST) with layer normalization composed of ' +
        'TensorFlow.js ops and with ours, compares speed, learning curves and accuracy, saves the model and loads it again. ' +
        'About a minute on two cores.',
    )
    .addOption(
      new Option('--backend <name>', 'what to compute on; auto takes the best').choices(['auto', 'wasm', 'webgpu', 'cpu']).default('auto'),
    )
    .option('--seed <n>', 'initial weights and the order of the digits follow from it', integer(0, 2 ** 32 - 1), 1)
    .option('--steps <n>', 'steps of training (default: 800; 40 on cpu, 20 on a software GPU)', integer(1, 1e6))
    .option('--digits <n>', 'held-out digits to read at the end (default: 10000; 2000 on cpu and on a software GPU)', integer(1, 10_000))
    .option('--out <file>', 'keep the trained model there (.safetensors)')
    .option('--json', 'print one JSON document on stdout; progress goes to stderr')
    .action((given: Given) => carryOut((signal) => run(given, signal)));
  addExamples(command, [
    ['evenkeel tour', 'takes the best backend of this machine'],
    ['evenkeel tour --backend cpu --steps 20', 'a shorter one, on plain JavaScript'],
    ['evenkeel tour --seed 7 --out digits.safetensors', 'another start; keeps the trained model'],
    ['evenkeel tour --json > tour.json', 'for programs'],
  ]);
}
