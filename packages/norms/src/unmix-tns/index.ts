export { UnMixNorm, UnMixNormGrad } from './op.ts';
export {
  smallestDistance,
  unMixTNS,
  unMixTNSState,
  type UnMixTNSOptions,
  type UnMixTNSResult,
  type UnMixTNSState,
  type UnMixTNSStateOptions,
} from './unmix-tns.ts';
