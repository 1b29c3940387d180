export { replaceNorm, type NormChoice, type ReplacedNorms, type Replacement } from './replace-norm.ts';
