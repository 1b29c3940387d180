export { findScaleInvariant, type FindScaleInvariantOptions, type ScaleInvariantReport } from './find-scale-invariant.ts';
export type { Cosines } from './cosine.ts';
export type { Invariance } from './graph.ts';
export type { ModelInputs } from './probe.ts';
