// Computes the cases of unmix-tns.json.
import { grads, type Tensor } from '@tensorflow/tfjs-core';
import type { Adapter } from '../../../tools/oracles/adapter.ts';
import { readAll, toTensors } from '../../../tools/oracles/tensors.ts';
import { batchNormInference, unMixTNS, unMixTNSState, type UnMixTNSOptions } from '../src/index.ts';

interface Params {
  K: number;
  eps?: number;
  temperature?: number;
  alpha?: number;
  steps?: number;
  /** What is moved by, in PyTorch's sense, scaled by the batch size. */
  momentum?: number;
  bn_momentum?: number;
  batch_size?: number;
  batch_size_max?: number;
}

/** How far a batch moves the components: as the case says, or by the rule where it gives what the rule takes. */
function movesBy({ momentum = 0.1, bn_momentum: full, batch_size: batchSize, batch_size_max: maxBatchSize }: Params): UnMixTNSOptions {
  if (full !== undefined && maxBatchSize !== undefined) return { momentum: 1 - full, batchSize, maxBatchSize };
  return { momentum: 1 - momentum, batchSize: 1, maxBatchSize: 1 };
}

/** Some batches, and the gradients of the last. */
const steps: Adapter = {
  claims: ({ inputs }) => 'init_noise' in inputs,
  run: ({ params, inputs }) =>
    readAll(() => {
      const tensors = toTensors(inputs) as Record<string, Tensor>;
      const { K: components, eps = 1e-5, temperature = 0.07, alpha = 0.5, steps: count = 1 } = params as unknown as Params;
      const [mean, variance, noise] = [tensors['source_mean']!, tensors['source_var']!, tensors['init_noise']!];
      const options = { ...movesBy(params as unknown as Params), epsilon: eps, temperature };
      let state = unMixTNSState(mean, variance, { components, alpha, noise, init: 'random' });
      const outputs: Record<string, Tensor> = { means_0: state.means, vars_0: state.variances };
      const gradients: Record<string, Tensor> = {};
      for (let t = 1; t <= count; t++) {
        const [x, gamma, beta] = [tensors[`x_${t}`]!, tensors['gamma']!, tensors['beta']!];
        const before = state;
        const { y, means, variances } = unMixTNS(x, gamma, beta, before, options);
        state = { means, variances };
        Object.assign(outputs, { [`y_${t}`]: y, [`means_${t}`]: means, [`vars_${t}`]: variances });
        const dy = tensors[`dy_${t}`];
        if (dy === undefined) continue;
        const [dx, dgamma, dbeta] = grads((a: Tensor, b: Tensor, c: Tensor) => unMixTNS(a, b, c, before, options).y)([x, gamma, beta], dy);
        Object.assign(gradients, { [`x_${t}`]: dx, gamma: dgamma, beta: dbeta });
      }
      return { outputs, grads: gradients };
    }),
};

/** Rank 2: the statistics of training. */
const dense: Adapter = {
  claims: ({ inputs }) => 'source_mean' in inputs && 'x' in inputs,
  run: ({ params, inputs }) =>
    readAll(() => {
      const tensors = toTensors(inputs) as Record<string, Tensor>;
      const { eps = 1e-5 } = params as unknown as Params;
      const [x, mean, variance] = [tensors['x']!, tensors['source_mean']!, tensors['source_var']!];
      return { outputs: { y: batchNormInference(x, mean, variance, tensors['gamma'], tensors['beta'], { epsilon: eps }) } };
    }),
};

export const unmixTnsAdapters: readonly Adapter[] = [steps, dense];
