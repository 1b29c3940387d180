import { defineRecipe, margin, noWorse, type Figures, type RunContext } from '../harness/index.ts';
import { NORMS, runNetwork } from './network.ts';

/** Arms by name. */
const arms = new Map<string, (context: RunContext) => Promise<Figures>>([['bn/32', (context) => runNetwork('bn', 32, context)]]);
for (const batchSize of [2, 1]) {
  for (const norm of NORMS) arms.set(`${norm}/${batchSize}`, (context) => runNetwork(norm, batchSize, context));
}

export default defineRecipe({
  name: 'batch-channel-norm',
  paper: {
    title: 'Micro-Batch Training with Batch-Channel Normalization and Weight Standardization',
    authors: 'S. Qiao, H. Wang, C. Liu, W. Shen, A. Yuille',
    year: 2019,
    id: 'arXiv:1903.10520',
  },
  claim:
    'With weight standardization and batch-channel normalization, training on one or two pictures a step is as good as batch norm on large batches; weight standardization makes group norm better.',
  measures:
    'Accuracy in percent on 1,000 held-out pictures of Fashion-MNIST at 14x14 (pixels standardized), in inference mode, of a ResNet-8 (3x3 convolution to 8 channels; basic blocks of 8, 16 and 32 channels, the last two with stride 2 and a 1x1 convolution for a shortcut; a norm behind each convolution, global average, dense), trained on 4,000 pictures, of which 5,000 are seen, in batches of 32, 2 or 1 by SGD with momentum 0.9, weight decay 1e-4 and a rate that falls from 0.05 b/32 at batch b to 0 along a cosine. Four groups of channels. Moving statistics of batch norm move by 0.1; estimates of batch-channel norm by 0.01, and by 1/(t+1) where that is more. All convolutions are standardized in the arms with ws. Initial weights and order of the pictures are the same for all arms that share a seed and a batch size.',
  arms: [...arms.keys()],
  seeds: [1, 2, 3],
  run: (context) => arms.get(context.arm)!(context),
  passes: (results) => [
    noWorse(results, 'accuracy', 'bn/32', 'bcn+ws/2', 0),
    margin(results, 'accuracy', 'bcn+ws/2', '>', 'bn/2', { by: 3 }),
    margin(results, 'accuracy', 'gn+ws/2', '>', 'gn/2', { by: 2.5 }),
    margin(results, 'accuracy', 'gn+ws/1', '>', 'bn/1', { by: 15 }),
    margin(results, 'accuracy', 'bcn+ws/1', '>', 'bn/1', { by: 15 }),
  ],
});
