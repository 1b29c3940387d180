export { WeightAverage, type NamedWeight, type WeightAverageOptions } from './weight-average.ts';
