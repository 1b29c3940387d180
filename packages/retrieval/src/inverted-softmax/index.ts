export { activationMask, type ActivationOptions } from './activation.ts';
export {
  dualDynamicInvertedSoftmax,
  dynamicInvertedSoftmax,
  officialDualDynamicInvertedSoftmax,
  type DualDynamicInvertedSoftmaxOptions,
  type DynamicInvertedSoftmaxOptions,
  type SignedLogarithms,
} from './dynamic.ts';
export {
  dualInvertedSoftmax,
  invertedSoftmax,
  logNormalizers,
  type DualInvertedSoftmaxOptions,
  type InvertedSoftmaxOptions,
} from './inverted-softmax.ts';
