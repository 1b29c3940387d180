export type { Candidate, CandidateSource } from './candidates.ts';
export {
  HubnessCorrectedIndex,
  type Evaluation,
  type FitOptions,
  type IndexItem,
  type SearchOptions,
  type SearchResult,
  type TuneOptions,
} from './hubness-corrected-index.ts';
export type { CorrectionMethod, HubnessCorrectedIndexOptions, Settings } from './options.ts';
export type { Metric, Vectors } from './vectors.ts';
