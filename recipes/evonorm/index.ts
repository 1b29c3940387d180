import { defineRecipe, margin, type Figures, type RunContext } from '../harness/index.ts';
import { BATCH_SIZES, LAYERS, runNetwork } from './network.ts';

/** Arms by name. */
const arms = new Map<string, (context: RunContext) => Promise<Figures>>();
for (const batchSize of BATCH_SIZES) {
  for (const layer of LAYERS) arms.set(`${layer}/${batchSize}`, (context) => runNetwork(layer, batchSize, context));
}

export default defineRecipe({
  name: 'evonorm',
  paper: {
    title: 'Evolving Normalization-Activation Layers',
    authors: 'H. Liu, A. Brock, K. Simonyan, Q. V. Le',
    year: 2020,
    id: 'arXiv:2004.02967',
  },
  claim:
    'EvoNorms do better than norms with a ReLU behind them, over a wide range of batch sizes: S0 better than group norm, which does not depend on the batch either, and B0 better than batch norm.',
  measures:
    'Accuracy in percent on 1,000 held-out pictures of Fashion-MNIST at 14x14 (pixels standardized), in inference mode, of a residual network with pre-activation (3x3 convolution to 8 channels; blocks of 8, 16 and 32 channels, the last two with stride 2 and a 1x1 convolution for a shortcut; norm and activation, global average, dense), trained on 4,000 pictures, of which 5,000 are seen, in batches of 32 or 4 by SGD with momentum 0.9, weight decay 1e-4 and a rate that falls from 0.05 at batch 32, 0.00625 at batch 4, to 0 along a cosine. Four groups of channels; 0.9 of moving statistics are kept. Initial weights and order of the pictures are the same for all arms that share a seed and a batch size. B0 and batch norm are shown, but no rule is about them: so short a training is not where the paper has B0 ahead.',
  arms: [...arms.keys()],
  seeds: [1, 2, 3],
  run: (context) => arms.get(context.arm)!(context),
  passes: (results) => BATCH_SIZES.map((size) => margin(results, 'accuracy', `evonorm-s0/${size}`, '>', `gn-relu/${size}`, { by: 1.5 })),
});
