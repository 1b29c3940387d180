import type { Figures, RunContext } from '../harness/index.ts';
import { runLanguageModel } from './language-model.ts';
import type { NormName } from './norms.ts';
import { runPerceptron } from './perceptron.ts';

type Run = (context: RunContext) => Promise<Figures>;

/** Each norm on 32 words a step, on 64, and on two digits a step. */
export function tokenArms(norms: readonly NormName[]): Map<string, Run> {
  const arms = new Map<string, Run>();
  for (const windows of [1, 2]) {
    for (const norm of norms) arms.set(`${norm}/${32 * windows} words`, (context) => runLanguageModel(norm, windows, context));
  }
  for (const norm of norms) arms.set(`${norm}/2 digits`, (context) => runPerceptron(norm, context));
  return arms;
}

/** What the arms have in common, in words. */
export const TOKENS =
  'Words: perplexity on 8,000 held-out tokens of the Brown corpus, in inference mode, of a causal Transformer (width 32, 2 layers, 2 heads, feed-forward 128 with ReLU, the norm after each residual) trained on the first 400,000 tokens (501 different ones) with Adam for 400 steps of one window of 32 tokens, its rate rising to 2e-3 for 80 steps and falling to 0 over the last 30 percent. With windows of two, 64 tokens a step, the same is shown and not judged. Digits: error in percent on the first 1,000 test digits of MNIST at 14x14, in inference mode, of a perceptron 196-64-64-10 (ReLU, norm before it), trained with Adam at 1e-3 on 5,000 of the first 6,000 training digits in batches of two. Running statistics keep 0.9 of themselves a step; warm-up of the norms is 80 steps of text and 100 of digits. Initial weights and order of the data are the same for all arms that share a seed.';
