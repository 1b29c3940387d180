import { defineRecipe, margin, noWorse, type Results, type Verdict } from '../harness/index.ts';
import { TOKENS, tokenArms } from '../tokens/arms.ts';
import { runFolding } from './folding.ts';

const FOLDING = 'folding';
const arms = tokenArms(['layer-norm', 'batch-norm', 'unified-norm']).set(FOLDING, runFolding);

/** The rule that a figure of the folded Transformer is on the right side of a bound, on the mean of the seeds. */
function bound(results: Results, figure: string, relation: 'at least' | 'at most', limit: number): Verdict {
  const found = results.mean(FOLDING, figure);
  const held = relation === 'at least' ? found >= limit : found <= limit;
  return { rule: `${figure}: ${relation} ${limit}`, held, found: Number.isNaN(found) ? 'none' : found.toPrecision(3) };
}

export default defineRecipe({
  name: 'unified-norm',
  paper: {
    title: 'Unified Normalization for Accelerating and Stabilizing Transformers',
    authors: 'Q. Yang, K. Zhang, C. Lan, Z. Yang, Z. Li, W. Tan, J. Xiao, S. Pu',
    year: 2022,
    id: 'arXiv:2208.01313',
  },
  claim:
    'Unified normalization trains Transformers as well as layer norm, where batch norm does not, and folds into its neighbours: inference is 31 percent faster and takes 18 percent less memory (on a GPU).',
  measures: `${TOKENS} Folding: latency (median of 30 runs, in turns) and peak memory of the tensors of a pre-norm Transformer (width 128, 4 layers, 4 heads, feed-forward 512, 8 x 64 tokens) whose unified norms are folded away, against the same with this library's fused layer norm, and with that of tfjs-layers. Its weights are random: speed does not depend on them.`,
  arms: [...arms.keys()],
  seeds: [1, 2, 3],
  timed: true,
  run: (context) => arms.get(context.arm)!(context),
  passes: (results) => [
    margin(results, 'perplexity', 'unified-norm/32 words', '<', 'batch-norm/32 words', { by: 0.8, each: true }),
    noWorse(results, 'perplexity', 'unified-norm/32 words', 'layer-norm/32 words', 0.4),
    margin(results, 'error', 'unified-norm/2 digits', '<', 'batch-norm/2 digits', { by: 10, each: true }),
    noWorse(results, 'error', 'unified-norm/2 digits', 'layer-norm/2 digits', 3),
    bound(results, 'relative difference', 'at most', 1e-4),
    bound(results, 'time saved, percent', 'at least', 5),
    bound(results, 'time saved against stock, percent', 'at least', 15),
    bound(results, 'memory saved, percent', 'at least', 0),
  ],
});
