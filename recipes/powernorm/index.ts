import { defineRecipe, margin, noWorse } from '../harness/index.ts';
import { TOKENS, tokenArms } from '../tokens/arms.ts';

const arms = tokenArms(['layer-norm', 'batch-norm', 'power-norm']);

export default defineRecipe({
  name: 'powernorm',
  paper: {
    title: 'PowerNorm: Rethinking Batch Normalization in Transformers',
    authors: 'S. Shen, Z. Yao, A. Gholami, M. W. Mahoney, K. Keutzer',
    year: 2020,
    id: 'arXiv:2003.07845',
  },
  claim:
    'In Transformers PowerNorm is better than batch norm by far (7.7 points of perplexity on PTB, 3.4 on WikiText-103) and better than layer norm (5.6 and 3.0), without tuning anew.',
  measures: `That it is better than layer norm is not expected to show at this size; that it is as good is asked for. ${TOKENS}`,
  arms: [...arms.keys()],
  seeds: [1, 2, 3],
  run: (context) => arms.get(context.arm)!(context),
  passes: (results) => [
    margin(results, 'perplexity', 'power-norm/32 words', '<', 'batch-norm/32 words', { by: 0.8, each: true }),
    noWorse(results, 'perplexity', 'power-norm/32 words', 'layer-norm/32 words', 0.4),
    margin(results, 'error', 'power-norm/2 digits', '<', 'batch-norm/2 digits', { by: 8, each: true }),
  ],
});
