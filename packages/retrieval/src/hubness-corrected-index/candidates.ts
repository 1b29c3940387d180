import type { Vectors } from './vectors.ts';

/** An item that some engine found. */
export interface Candidate {
  readonly id: string;
  /** In the index's metric: the cosine, the product, or less the squared distance. */
  readonly similarity: number;
}

/** Any engine that finds near items, exactly or not: give me the top m. */
export interface CandidateSource {
  /** The m nearest items of each query, without correction. */
  candidates(queries: Vectors, m: number): Promise<readonly (readonly Candidate[])[]>;
}
