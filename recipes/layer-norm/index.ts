import { defineRecipe, margin, noWorse, type Figures, type RunContext } from '../harness/index.ts';
import { IMAGES_SEEN, NORMS, runBatchSize, type BatchSize } from './batch-size.ts';
import { CELLS, runRecurrent } from './recurrent.ts';

/** Arms by name. */
const arms = new Map<string, (context: RunContext) => Promise<Figures>>();
for (const batchSize of Object.keys(IMAGES_SEEN)
  .map(Number)
  .toSorted((a, b) => b - a) as BatchSize[]) {
  for (const norm of NORMS) arms.set(`${norm}/${batchSize}`, (context) => runBatchSize(norm, batchSize, context));
}
for (const cell of CELLS) arms.set(cell, (context) => runRecurrent(cell, context));

export default defineRecipe({
  name: 'layer-norm',
  paper: { title: 'Layer Normalization', authors: 'J. L. Ba, J. R. Kiros, G. E. Hinton', year: 2016, id: 'arXiv:1607.06450' },
  claim:
    'Layer norm does not depend on the batch: on MNIST it keeps working at batch 4, where batch norm degrades clearly, and is no slower to learn at batch 128. In recurrent networks it shortens training.',
  measures:
    'A: error in percent on the first 2,000 test digits of MNIST, in inference mode, of a perceptron 784-128-128-10 (ReLU, norm before it), trained on the first 10,000 training digits with Adam at 1e-3: 25,600 digits at batch 128, 10,000 at batch 4, 6,000 at batch 2. Batch norm keeps 0.99 of its running statistics a step, as this library does by default. B: the first step at which the running loss (0.95 of it kept) is below 0.5, of an LSTM of 32 units that reads 8x8 digits as 8 rows, 1,400 of them, in batches of 32 with Adam at 3e-3 for 400 steps. Initial weights and order of the digits are the same for all arms of an experiment that share a seed.',
  arms: [...arms.keys()],
  seeds: [1, 2, 3],
  run: (context) => arms.get(context.arm)!(context),
  passes: (results) => [
    margin(results, 'error', 'layer-norm/4', '<', 'batch-norm/4'),
    margin(results, 'error', 'layer-norm/2', '<', 'batch-norm/2', { by: 8 }),
    noWorse(results, 'error', 'layer-norm/128', 'batch-norm/128', 2),
    margin(results, 'steps', 'layer-norm-lstm', '<', 'lstm', { each: true, ratio: 0.7 }),
  ],
});
