// Computes the cases of the oracle files, each in a file of its own.
import type { Adapters } from '../../../tools/oracles/adapter.ts';
import { adamPAdapters } from './adam-p.oracles.ts';
import { logisticRegressionAdapters } from './logistic-regression.oracles.ts';
import { weightCompanderAdapters } from './weight-compander.oracles.ts';

export const adapters: Adapters = {
  adamp: adamPAdapters,
  'normalized-lr-gd': logisticRegressionAdapters,
  'weight-compander': weightCompanderAdapters,
};
