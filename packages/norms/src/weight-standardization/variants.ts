export type WeightStandardizationVariant = 'sqrt(var_unbiased+eps)' | 'std_unbiased+eps' | 'std_biased+eps';

/** Of the ops and their kernels. */
export interface WeightStandardizationAttributes {
  variant: WeightStandardizationVariant;
  epsilon: number;
}

/** What a filter's deviation is made of: the count that its sum of squares is divided by, and where epsilon stands. */
export interface Deviation {
  /** How much less than n. */
  readonly less: 0 | 1;
  readonly insideRoot: boolean;
}

const DEVIATIONS: Readonly<Record<WeightStandardizationVariant, Deviation>> = {
  'sqrt(var_unbiased+eps)': { less: 1, insideRoot: true },
  'std_unbiased+eps': { less: 1, insideRoot: false },
  'std_biased+eps': { less: 0, insideRoot: false },
};

export const VARIANTS = Object.keys(DEVIATIONS) as readonly WeightStandardizationVariant[];

export const deviationOf = (variant: WeightStandardizationVariant): Deviation => DEVIATIONS[variant];

const plain = (text: string): string => text.replaceAll('_', '').toLowerCase();

/** The variant of this name; also as tfjs reads it out of saved models, where it has made `varUnbiased` of `var_unbiased`. */
export function variantNamed(name: string): WeightStandardizationVariant | undefined {
  return VARIANTS.find((variant) => plain(variant) === plain(name));
}
