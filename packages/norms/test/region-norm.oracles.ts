// Computes the cases of region-norm.json.
import { grads, type Tensor } from '@tensorflow/tfjs-core';
import type { Adapter } from '../../../tools/oracles/adapter.ts';
import { readAll, toTensors } from '../../../tools/oracles/tensors.ts';
import {
  learnedRegions,
  regionNormalize,
  regionNormBasic,
  regionNormLearnable,
  type RegionAffineMode,
  type RegionEpsilonMode,
  type RegionStatistics,
} from '../src/region-norm/index.ts';

interface Params {
  op?: string;
  epsilon?: number;
  statistics?: RegionStatistics;
  epsilonMode?: RegionEpsilonMode;
  affineMode?: RegionAffineMode;
  threshold?: number;
}

type Tensors = Record<string, Tensor>;

const optionsOf = ({ epsilon, statistics, epsilonMode }: Params): Pick<Params, 'epsilon' | 'statistics' | 'epsilonMode'> => ({
  ...(epsilon !== undefined && { epsilon }),
  ...(statistics && { statistics }),
  ...(epsilonMode && { epsilonMode }),
});

/** Differentiates with respect to all inputs but dy and mask. */
function adapter(
  op: string,
  compute: (tensors: Tensors, params: Params) => Tensor,
  more: (tensors: Tensors, params: Params) => Tensors = () => ({}),
): Adapter {
  return {
    claims: ({ params }) => params['op'] === op,
    run: ({ inputs, params }) =>
      readAll(() => {
        const { dy, ...tensors } = toTensors(inputs);
        const names = Object.keys(tensors).filter((name) => name !== 'mask');
        const of = (...values: Tensor[]): Tensor =>
          compute({ ...tensors, ...Object.fromEntries(names.map((name, i) => [name, values[i]!])) }, params as Params);
        const values = names.map((name) => tensors[name]!);
        const gradients = grads(of)(values, dy);
        return {
          outputs: { y: of(...values), ...more(tensors, params as Params) },
          grads: Object.fromEntries(names.map((name, i) => [`d${name}`, gradients[i]!])),
        };
      }),
  };
}

export const regionNormAdapters: readonly Adapter[] = [
  adapter('regionNormalize', ({ x, mask }, params) => regionNormalize(x!, mask!, optionsOf(params))),
  adapter('RN-B', ({ x, mask, ...weights }, params) =>
    regionNormBasic(
      x!,
      mask!,
      {
        foregroundGamma: weights['foreground_gamma'],
        foregroundBeta: weights['foreground_beta'],
        backgroundGamma: weights['background_gamma'],
        backgroundBeta: weights['background_beta'],
      },
      { ...optionsOf(params), ...(params.affineMode && { affineMode: params.affineMode }) },
    ),
  ),
  adapter(
    'RN-L',
    ({ x, ...weights }, params) =>
      regionNormLearnable(
        x!,
        {
          mapKernel: weights['map_kernel']!,
          gammaKernel: weights['gamma_kernel']!,
          gammaBias: weights['gamma_bias']!,
          betaKernel: weights['beta_kernel']!,
          betaBias: weights['beta_bias']!,
        },
        { ...optionsOf(params), ...(params.threshold !== undefined && { threshold: params.threshold }) },
      ),
    ({ x, map_kernel: kernel }, { threshold }) => {
      const { importance, mask } = learnedRegions(x!, kernel!, threshold === undefined ? {} : { threshold });
      return { importance_map: importance, region_mask: mask };
    },
  ),
];
