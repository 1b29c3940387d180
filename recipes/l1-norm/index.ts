import { defineRecipe, margin, noWorse } from '../harness/index.ts';
import { NORMS, runNetwork, type Norm } from './network.ts';

export default defineRecipe({
  name: 'l1-norm',
  paper: {
    title: 'Towards Accurate and Efficient Sub-8-Bit Integer Training',
    authors: 'W. Guo, D. Liu et al.',
    year: 2024,
    id: 'arXiv:2411.10948',
  },
  claim:
    'Normalization layers that divide by the mean absolute deviation (L1) need no square and no root, so that they can be computed in integers, and cost no accuracy against those that divide by the standard deviation (L2).',
  measures:
    'Error in percent on the first 4,000 test digits of MNIST at 14x14, in inference mode, of a network of three 3x3 convolutions (16, 32 with stride 2, 32 channels), each with the norm and a ReLU, global average and a dense layer, trained on the first 8,000 training digits for 3 epochs in batches of 64 by SGD with momentum 0.9, its rate falling from 0.1 to 0 along a cosine. Weights are float32: what integers make of it comes with integer training. Batch norms keep 0.9 of their running statistics a step; layer norms are over all positions and channels of a sample (over the channels of a position alone, as a first run had them, both do far worse than no norm here: 30 and 36 percent against 12). Initial weights and order of the digits are the same for all arms that share a seed. Speed is measured by the bench.',
  arms: [...NORMS],
  seeds: [1, 2, 3],
  run: (context) => runNetwork(context.arm as Norm, context),
  passes: (results) => [
    noWorse(results, 'error', 'l1-batch-norm', 'batch-norm', 0.5),
    noWorse(results, 'error', 'l1-layer-norm', 'layer-norm', 0.5),
    margin(results, 'error', 'l1-batch-norm', '<', 'none'),
  ],
});
