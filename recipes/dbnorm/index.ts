import { matMul, tensor2d, type Tensor2D } from '@tensorflow/tfjs-core';
import { throwIfAborted } from '@evenkeel/core';
import { hubnessReport, metricsOf, ranksOf } from '@evenkeel/retrieval';
import { defineRecipe, margin, noWorse, type Figures, type RunContext } from '../harness/index.ts';
import { methods, type Betas } from './methods.ts';
import { viewsOf, type View } from './views.ts';
import { loadPairs } from './words.ts';

const TESTS = 1000;
const BANK = 5000;
const FEW = 30;

/** Which vectors, how many bank queries, and the betas of all methods. */
const SETTINGS: Readonly<Record<string, Betas & { view: 'raw' | 'ridge'; queries: number }>> = {
  raw: { view: 'raw', queries: BANK, beta1: 20, beta2: 1 },
  ridge: { view: 'ridge', queries: BANK, beta1: 20, beta2: 5 },
  'ridge, 30 queries': { view: 'ridge', queries: FEW, beta1: 20, beta2: 20 },
};

const similaritiesOf = (queries: Tensor2D, gallery: Tensor2D): Tensor2D => matMul(queries, gallery, false, true);

async function measure(arm: string, view: View, betas: Betas & { queries: number }, reverse: boolean, width: number): Promise<Figures> {
  const [from, to] = reverse ? (['lemmas', 'glosses'] as const) : (['glosses', 'lemmas'] as const);
  const upload = (values: Float32Array): Tensor2D => tensor2d(values, [values.length / width, width]);
  const [queries, gallery] = [upload(view.test[from]), upload(view.test[to])];
  const bankQueries = upload(view.bank[from].slice(0, betas.queries * width));
  const bankItems = upload(view.bank[to]);
  const matrices = {
    similarities: similaritiesOf(queries, gallery),
    queryBank: similaritiesOf(bankQueries, gallery),
    galleryBank: similaritiesOf(bankItems, gallery),
  };
  const scores = methods[arm]!(matrices, betas);
  try {
    const targets = Array.from({ length: scores.shape[0] }, (_, i) => i);
    const { recall, medianRank } = metricsOf(await ranksOf(scores, targets));
    const { skewness } = await hubnessReport(scores, { k: 10 });
    return { 'recall@1': recall[1]!, 'recall@5': recall[5]!, 'recall@10': recall[10]!, 'median rank': medianRank, skewness };
  } finally {
    for (const each of [scores, queries, gallery, bankQueries, bankItems, ...Object.values(matrices)]) each.dispose();
  }
}

async function run({ arm, seed, scale, signal, progress }: RunContext): Promise<Figures> {
  const pairs = await loadPairs();
  const [tests, bank] = [Math.max(50, Math.round(TESTS * scale)), Math.max(FEW, Math.round(BANK * scale))];
  const views = viewsOf(pairs, seed, tests, bank);
  const figures: Record<string, number> = {};
  const work = Object.entries(SETTINGS).flatMap(([name, setting]) => [false, true].map((reverse) => ({ name, setting, reverse })));
  for (const [done, { name, setting, reverse }] of work.entries()) {
    throwIfAborted(signal, 'recipe dbnorm');
    const { view, ...rest } = setting;
    const found = await measure(arm, views[view], { ...rest, queries: Math.min(rest.queries, bank) }, reverse, pairs.dimensions);
    for (const [figure, value] of Object.entries(found)) figures[`${name}${reverse ? ', lemma to gloss' : ''}: ${figure}`] = value;
    progress(done + 1, work.length);
  }
  return figures;
}

export default defineRecipe({
  name: 'dbnorm',
  paper: {
    title: 'Balance Act: Mitigating Hubness in Cross-Modal Retrieval with Query and Gallery Banks',
    authors: 'Y. Wang, X. Jian, B. Xue',
    year: 2023,
    id: 'arXiv:2310.11612',
  },
  claim:
    'Correcting similarities by a query bank and a gallery bank finds more right items than no correction, and makes hubs fewer; the gallery bank pays where the query bank is small.',
  measures:
    'The lemma of a WordNet gloss: queries are means of the word vectors (100 dimensions, GloVe) of the words of at least 3 letters in the definition of the first sense of a noun, without the noun; the gallery is the vectors of the nouns, which are among the 30,000 most frequent words. By seed 1,000 test pairs and 5,000 others as banks. "raw": cosines of the vectors as they are. "ridge": both sides centred on the bank, glosses mapped to lemmas by a linear map with ridge 10 that is fitted on the bank. Betas are those of the method\'s description, the same for all arms: 20 of the query bank; 1 (raw), 5 (ridge) and 20 (ridge with 30 bank queries) of the gallery bank. Skewness of the 10-occurrences. Both directions; rules are about gloss to lemma. CSLS, mutual proximity and local scaling are shown beside. There is no rule that two banks beat one where the query bank is large.',
  arms: Object.keys(methods),
  seeds: [1, 2, 3, 4, 5],
  run,
  passes: (results) => [
    ...['is', 'dual-is'].flatMap((arm) => [
      margin(results, 'raw: recall@1', arm, '>', 'none', { by: 0.1 }),
      margin(results, 'raw: skewness', arm, '<', 'none', { ratio: 1 / 3 }),
    ]),
    margin(results, 'ridge: recall@1', 'dual-is', '>', 'none', { by: 0.03 }),
    noWorse(results, 'ridge: recall@1', 'is', 'dual-is', 0.01),
    margin(results, 'ridge, 30 queries: recall@1', 'dual-is', '>', 'is', { by: 0.015 }),
    margin(results, 'ridge, 30 queries: recall@1', 'dual-is', '>', 'none', { each: true }),
  ],
});
