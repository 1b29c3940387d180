import type { Tensor2D } from '@tensorflow/tfjs-core';
import {
  csls,
  dualDynamicInvertedSoftmax,
  dualInvertedSoftmax,
  dynamicInvertedSoftmax,
  invertedSoftmax,
  localScaling,
  mutualProximity,
} from '@evenkeel/retrieval';

/** Similarities of queries, bank queries and bank items with the gallery. */
export interface Matrices {
  readonly similarities: Tensor2D;
  readonly queryBank: Tensor2D;
  readonly galleryBank: Tensor2D;
}

export interface Betas {
  readonly beta1: number;
  readonly beta2: number;
}

type Method = (matrices: Matrices, betas: Betas) => Tensor2D;

/** All methods, with the same betas. */
export const methods: Readonly<Record<string, Method>> = {
  none: ({ similarities }) => similarities.clone(),
  is: ({ similarities, queryBank }, { beta1 }) => invertedSoftmax(similarities, queryBank, { beta: beta1 }),
  dis: ({ similarities, queryBank }, { beta1 }) => dynamicInvertedSoftmax(similarities, queryBank, { beta: beta1 }),
  'dual-is': ({ similarities, queryBank, galleryBank }, betas) => dualInvertedSoftmax(similarities, queryBank, galleryBank, betas),
  'dual-dis': ({ similarities, queryBank, galleryBank }, betas) => dualDynamicInvertedSoftmax(similarities, queryBank, galleryBank, betas),
  csls: ({ similarities, queryBank }) => csls(similarities, queryBank),
  'mutual-proximity': ({ similarities, queryBank }) => mutualProximity(similarities, queryBank),
  'local-scaling': ({ similarities, queryBank }) => localScaling(similarities, queryBank),
};
