import { progressOn } from '../terminal/progress.ts';
import { styleFor } from '../terminal/colour.ts';
import { integer, oneOf, type Command } from './command.ts';
import { repositoryAbove } from './in-repository.ts';

const BACKENDS = ['auto', 'wasm', 'webgpu', 'cpu'] as const;

export const tourCommand: Command = {
  name: 'tour',
  summary:
    'Shows the main thing working: trains a small network on real handwritten digits (MNIST) with layer normalization composed of ' +
    'TensorFlow.js ops and with ours, compares speed, learning curves and accuracy, saves the model and loads it again. ' +
    'About a minute on two cores.',
  usage: '[OPTIONS]',
  options: {
    backend: { value: 'NAME', help: `${BACKENDS.join(', ')}; default auto` },
    seed: { value: 'N', help: 'initial weights and the order of the digits follow from it; default 1' },
    steps: { value: 'N', help: 'steps of training; default 800; 40 on cpu, 20 on a software GPU' },
    digits: { value: 'N', help: 'held-out digits to read at the end; default 10000; 2000 on cpu and on a software GPU' },
    out: { value: 'FILE', help: 'keep the trained model there (.safetensors)' },
    json: { help: 'print one JSON document on stdout; progress goes to stderr' },
  },
  examples: [
    ['evenkeel tour', 'takes the best backend of this machine'],
    ['evenkeel tour --backend cpu --steps 20', 'a shorter one, on plain JavaScript'],
    ['evenkeel tour --seed 7 --out digits.safetensors', 'another start; keeps the trained model'],
    ['evenkeel tour --json > tour.json', 'for programs'],
  ],
  async run({ json, ...given }, _, { signal, print }) {
    const options = {
      backend: oneOf('tour', 'backend', given.backend, BACKENDS),
      seed: integer('tour', 'seed', given.seed, 0, 2 ** 32 - 1),
      steps: integer('tour', 'steps', given.steps, 1, 1e6),
      digits: integer('tour', 'digits', given.digits, 1, 10_000),
      out: given.out as string | undefined,
    };
    const [{ tour }, { farewell, printPart }, { env }] = await Promise.all([
      import('../tour/tour.ts'),
      import('../tour/print.ts'),
      import('@tensorflow/tfjs-core'),
    ]);
    // tfjs' cpu backend else advises to install tfjs-node.
    env().set('PROD', true);
    const style = styleFor(process.stdout);
    const progress = progressOn(process.stderr);
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
  },
};
