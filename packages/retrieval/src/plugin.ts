import type { Plugin } from '@evenkeel/core';
import { owner } from './owner.ts';
import { SimilarityLogSum, SimilarityTopK } from './search/index.ts';

/** The ops of this package, for `use(retrieval)` and `compile(retrieval)`. */
export const retrieval: Plugin = { ...owner, ops: [SimilarityLogSum, SimilarityTopK] };
