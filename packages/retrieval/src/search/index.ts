export { encodeItems } from './items.ts';
export { similarityLogNormalizers, SimilarityLogSum, type SimilarityLogNormalizersOptions } from './log-sum.ts';
export { similarityTopK, SimilarityTopK, type SimilarityTopKOptions } from './top-k.ts';
