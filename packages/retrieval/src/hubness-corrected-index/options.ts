import { expect } from '@evenkeel/core';
import { checkCount, checkPositive } from '../checks.ts';
import type { Metric } from './vectors.ts';

/** Which correction: none, of the query bank (IS; DIS where the nearest item is activated), or of both banks. */
export type CorrectionMethod = 'none' | 'is' | 'dis' | 'dual-is' | 'dual-dis';

export interface HubnessCorrectedIndexOptions {
  /** Numbers of a vector. */
  dimensions: number;
  /** Default `'cosine'`. */
  metric?: Metric;
  /** Default `'dual-is'`; with a query bank alone that is `'is'`. */
  method?: CorrectionMethod;
  /** Inverse temperature of the query bank. Default 20, for cosines; `tune` finds one. */
  beta1?: number;
  /** Inverse temperature of the gallery bank. Default 20. */
  beta2?: number;
  /** How many nearest items of each bank row are activated, for `'dis'` and `'dual-dis'`. Default 1. */
  activation?: number;
  /** What vectors are kept as: `'int8'` takes a quarter of the memory and costs precision. Default `'float32'`. */
  storage?: 'float32' | 'int8';
  /** How far a correction that was updated may be from one made anew, as a bound on the logarithm, before it is made anew. Default 1e-3. */
  staleness?: number;
}

export type Settings = Required<HubnessCorrectedIndexOptions>;

const METRICS: readonly Metric[] = ['cosine', 'dot', 'euclidean'];
const METHODS: readonly CorrectionMethod[] = ['none', 'is', 'dis', 'dual-is', 'dual-dis'];

/** Options with their defaults. Throws INVALID_ARGUMENT, naming the option. */
export function settingsOf(op: string, options: HubnessCorrectedIndexOptions): Settings {
  const settings: Settings = {
    dimensions: options.dimensions,
    metric: options.metric ?? 'cosine',
    method: options.method ?? 'dual-is',
    beta1: options.beta1 ?? 20,
    beta2: options.beta2 ?? 20,
    activation: options.activation ?? 1,
    storage: options.storage ?? 'float32',
    staleness: options.staleness ?? 1e-3,
  };
  checkCount(op, 'dimensions', settings.dimensions);
  expect(METRICS.includes(settings.metric), op, 'metric', METRICS.join(', '), settings.metric);
  expect(METHODS.includes(settings.method), op, 'method', METHODS.join(', '), settings.method);
  checkPositive(op, 'beta1', settings.beta1);
  checkPositive(op, 'beta2', settings.beta2);
  checkCount(op, 'activation', settings.activation);
  expect(settings.storage === 'float32' || settings.storage === 'int8', op, 'storage', "'float32' or 'int8'", settings.storage);
  checkPositive(op, 'staleness', settings.staleness);
  return settings;
}
