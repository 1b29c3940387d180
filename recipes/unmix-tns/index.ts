import { defineRecipe, margin, noWorse, type Figures, type RunContext } from '../harness/index.ts';
import { blended, ofBatch, runArm, source, unmixed, type MakeNorm } from './network.ts';
import { SHIFTS } from './stream.ts';

const OURS = 'unmix-tns/centered, 8, 0.7';
const OFFICIAL = 'unmix-tns/official, 16, 0.9';

const ordered = (make: MakeNorm) => (context: RunContext) => runArm(make, true, context);

const arms = new Map<string, (context: RunContext) => Promise<Figures>>([
  ['source', ordered(source)],
  ['batch', ordered(ofBatch)],
  ['batch/shuffled', (context) => runArm(ofBatch, false, context)],
  ['alpha-bn', ordered(blended(0.9))],
  [OFFICIAL, ordered(unmixed(16, 0.9, 'random'))],
  ['unmix-tns/centered, 16, 0.9', ordered(unmixed(16, 0.9, 'centered'))],
  [OURS, ordered(unmixed(8, 0.7, 'centered'))],
]);

export default defineRecipe({
  name: 'unmix-tns',
  paper: {
    title: 'Un-Mixing Test-Time Normalization Statistics: Combatting Label Temporal Correlation',
    authors: 'D. Tomar, G. Vray, J.-P. Thiran, B. Bozorgtabar',
    year: 2024,
    id: 'arXiv:2401.08328',
  },
  claim:
    'Where test data are shifted and come in long runs of a class, statistics of the batch fail, and UnMix-TNS does better than they and than the network as it was trained.',
  measures:
    'Accuracy in percent on 8,000 test pictures of Fashion-MNIST at 14x14, in batches of 64, of a network (3x3 convolutions to 16, 32 and 64 channels, the last two with stride 2, each with batch norm and ReLU; global average; dense) trained on 8,000 others for 6 epochs by Adam at 3e-3 in batches of 50. The test pictures come in runs of 100 of a class, the runs in random order, or shuffled; as they are, with Gaussian noise of 0.25, 0.12 brighter, or at 0.6 of their brightness, clipped to [0, 1]. Shifted: the mean of the latter three. Arms: the statistics of training (source), of each batch, 0.9 of the first and 0.1 of the second (alpha-BN), UnMix-TNS as the official code starts it with 16 components and 0.9 kept, and with a centered start, 16 components and 0.9 or 8 and 0.7. All arms of a seed have the same network and the same streams.',
  arms: [...arms.keys()],
  seeds: [1, 2, 3],
  run: (context) => arms.get(context.arm)!(context),
  passes: (results) => [
    margin(results, 'shifted', 'batch/shuffled', '>', 'batch', { by: 25 }),
    margin(results, 'shifted', OURS, '>', 'batch', { by: 25 }),
    margin(results, 'shifted', OURS, '>', 'source', { by: 5 }),
    noWorse(results, 'unshifted', 'source', OURS, 3),
    ...SHIFTS.map((shift) => margin(results, shift, OFFICIAL, '>', 'batch', { by: 10 })),
  ],
});
