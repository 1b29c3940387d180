import { backendLines, choiceLine } from '../doctor/print.ts';
import type { Style } from '../terminal/colour.ts';
import { grouped, milliseconds, ratio, table, wrap } from '../terminal/text.ts';
import { LAYERS } from './network.ts';
import type { BackendsPart, EnginesPart, PlanPart, SavedPart, TourPart, TrainingPart } from './tour.ts';

const paragraph = (text: string): string => `  ${wrap(text, { indent: '  ' })}`;

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}

function backendsText({ backends, chosen, requested }: BackendsPart, style: Style): string {
  return [style.bold('1. Backends'), backendLines(backends, chosen, style), '', paragraph(choiceLine(chosen, requested)), ''].join('\n');
}

function planText({ trainingDigits, parameters, batchSize, steps, seed }: PlanPart, style: Style): string {
  const told =
    `A network of two hidden layers (${LAYERS}, ${grouped(parameters)} parameters), each with layer normalization, learns to read: ` +
    `${grouped(steps)} steps of Adam on ${batchSize} of ${grouped(trainingDigits)} digits each. It does so twice in turns, from the same start ` +
    `(seed ${seed}) on the same digits: with LayerNorm composed of TensorFlow.js ops, and with Evenkeel's fused one.`;
  return [style.bold('2. Training on handwritten digits (MNIST)'), paragraph(told), ''].join('\n');
}

function trainingText(part: TrainingPart, style: Style): string {
  const { accuracy, heldOutDigits, stepMilliseconds: step, normMilliseconds: norm } = part;
  const rows = [
    ['', 'composed', 'Evenkeel', 'ratio'],
    [`right, of ${grouped(heldOutDigits)} held-out digits`, percent(accuracy.composed), percent(accuracy.fused), ''],
    ['a whole training step', milliseconds(step.composed), milliseconds(step.fused), ratio(step.composed / step.fused)],
    ['LayerNorm alone, both ways', milliseconds(norm.composed), milliseconds(norm.fused), ratio(norm.composed / norm.fused)],
  ];
  const verdict = part.curvesAgree ? style.good('agree') : style.bad('DISAGREE');
  return [
    table(rows, { right: 1 }),
    '',
    `  The learning curves ${verdict}: the losses differ by ${part.largestDifference.toExponential(1)} at most`,
    `  (${part.tolerance} is allowed). Times are medians; both ways: forward and backward.`,
    '',
  ].join('\n');
}

function enginesText({ engines }: EnginesPart): string {
  const ours = engines[0]!.milliseconds;
  const rows = engines.map(({ engine, milliseconds: time }, i) => [engine, milliseconds(time), i === 0 ? '' : ratio(time / ours)]);
  return [
    paragraph('The same step on TensorFlow.js alone, whose wasm backend is slow at what a backward pass needs:'),
    table(rows, { right: 1 }),
    '',
  ].join('\n');
}

function savedText({ file, kept, bytes, tensors, predictions, bitEqual }: SavedPart, style: Style): string {
  const fate = kept ? `It stays in ${file}` : '--out FILE keeps it';
  return [
    style.bold('3. Saving'),
    paragraph(`${tensors} tensors, ${grouped(bytes)} bytes as safetensors, written and loaded again. ${fate}.`),
    `  Predictions for ${grouped(predictions)} digits are ${bitEqual ? style.good('bit-equal') : style.bad('NOT bit-equal')}.`,
    '',
  ].join('\n');
}

/** A part of the tour as the terminal shows it. */
export function printPart(part: TourPart, style: Style): string {
  switch (part.part) {
    case 'backends':
      return backendsText(part, style);
    case 'plan':
      return planText(part, style);
    case 'training':
      return trainingText(part, style);
    case 'engines':
      return enginesText(part);
    case 'saved':
      return savedText(part, style);
  }
}

/**
 * Where to go next, as the last words.
 *
 * @param inClone - whether this runs in a clone of the repository, where there is more to do
 */
export function farewell(inClone: boolean, style: Style): string {
  const program = inClone ? 'node packages/evenkeel/dist/cli.js' : 'npx evenkeel';
  const rows = [
    ['use it', 'npm install @evenkeel/norms @evenkeel/backend-wasm'],
    ['this machine', `${program} doctor`],
    ['other backends', `${program} tour --backend cpu`],
    ...(inClone
      ? [
          ['measure', 'npx pnpm bench norms, beside the norms of other libraries'],
          ['test', 'npm test'],
          ['add a norm', 'CONTRIBUTING.md, step by step'],
        ]
      : [['all options', `${program} tour --help`]]),
  ];
  return [style.bold('4. Where to go next'), table(rows)].join('\n');
}
