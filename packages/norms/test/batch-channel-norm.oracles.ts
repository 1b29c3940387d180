// Computes the cases of batch-channel-norm.json.
import { add, conv2d, fill, grads, pad, type Tensor, type Tensor4D } from '@tensorflow/tfjs-core';
import type { Adapter, Case } from '../../../tools/oracles/adapter.ts';
import { readAll, toTensors } from '../../../tools/oracles/tensors.ts';
import {
  batchChannelNorm,
  batchChannelNormInference,
  weightStandardize,
  type BatchChannelNormOptions,
  type WeightStandardizationOptions,
} from '../src/index.ts';

type Tensors = Record<string, Tensor>;

interface Params {
  op?: string;
  variant?: NonNullable<WeightStandardizationOptions['variant']>;
  epsilon?: number;
  strides?: number;
  padding?: number;
  mode?: NonNullable<BatchChannelNormOptions['mode']>;
  updateRate?: number;
  groups?: number;
  steps?: number;
  initial?: { running_mean?: number; running_var?: number };
}

const claimsOp =
  (op: string): Adapter['claims'] =>
  ({ params }: Pick<Case, 'params'>) =>
    (params as Params).op === op;

const standardizationOf = ({ epsilon, variant }: Params): WeightStandardizationOptions => ({
  ...(epsilon !== undefined && { epsilon }),
  ...(variant && { variant }),
});

const standardization: Adapter = {
  claims: claimsOp('weightStandardize'),
  run: ({ params, inputs }) =>
    readAll(() => {
      const { kernel, dkernel_hat } = toTensors(inputs) as { kernel: Tensor; dkernel_hat: Tensor };
      const options = standardizationOf(params as Params);
      const run = (k: Tensor): Tensor => weightStandardize(k, options);
      return { outputs: { standardized_kernel: run(kernel) }, grads: { dkernel: grads(run)([kernel], dkernel_hat)[0]! } };
    }),
};

const convolution: Adapter = {
  claims: claimsOp('wsConv2d'),
  run: ({ params, inputs }) =>
    readAll(() => {
      const { dy, ...tensors } = toTensors(inputs) as Tensors & { dy: Tensor };
      const given = params as Params;
      const { strides = 1, padding = 0 } = given;
      const around: [number, number] = [padding, padding];
      const names = Object.keys(tensors);
      const compute = (...values: Tensor[]): Tensor => {
        const { x, kernel, bias } = Object.fromEntries(names.map((name, i) => [name, values[i]!])) as Tensors;
        const padded = pad(x!, [[0, 0], around, around, [0, 0]]) as Tensor4D;
        const y = conv2d(padded, weightStandardize(kernel!, standardizationOf(given)) as Tensor4D, strides, 'valid');
        return bias ? add(y, bias) : y;
      };
      const values = Object.values(tensors);
      const gradients = grads(compute)(values, dy);
      return {
        outputs: { standardized_kernel: weightStandardize(tensors['kernel']!, standardizationOf(given)), y: compute(...values) },
        grads: Object.fromEntries(names.map((name, i) => [`d${name}`, gradients[i]!])),
      };
    }),
};

/** Training steps with fixed parameters, then inference with the running statistics. */
const steps: Adapter = {
  claims: claimsOp('batchChannelNorm'),
  run: ({ params, inputs }) =>
    readAll(() => {
      const tensors = toTensors(inputs) as Tensors;
      const { mode, updateRate, groups, epsilon, steps: count = 1, initial = {} } = params as Params;
      const [gamma, beta] = [tensors['gamma_bn']!, tensors['beta_bn']!];
      const [channelGamma, channelBeta] = [tensors['gamma_cn']!, tensors['beta_cn']!];
      const shared = { ...(groups !== undefined && { groups }), ...(epsilon !== undefined && { epsilon }) };
      const options = { ...shared, ...(mode && { mode }), ...(updateRate !== undefined && { updateRate }) };
      const outputs: Tensors = {};
      const gradients: Tensors = {};
      let state = { mean: fill(gamma.shape, initial.running_mean ?? 0), variance: fill(gamma.shape, initial.running_var ?? 1) };
      for (let t = 1; t <= count; t++) {
        const [x, dy] = [tensors[`x_${t}`]!, tensors[`dy_${t}`]!];
        const before = state;
        const run = (...[a, b, c, d, e]: Tensor[]): Tensor =>
          batchChannelNorm(a!, before, { gamma: b, beta: c, channelGamma: d, channelBeta: e }, options).y;
        const found = grads(run)([x, gamma, beta, channelGamma, channelBeta], dy);
        ['dx', 'dgamma_bn', 'dbeta_bn', 'dgamma_cn', 'dbeta_cn'].forEach((name, i) => (gradients[`${name}_${t}`] = found[i]!));
        const { y, ...next } = batchChannelNorm(x, before, { gamma, beta, channelGamma, channelBeta }, options);
        Object.assign(outputs, { [`y_${t}`]: y, [`running_mean_${t}`]: next.mean, [`running_var_${t}`]: next.variance });
        state = next;
      }
      outputs['y_eval'] = batchChannelNormInference(tensors['x_eval']!, state, { gamma, beta, channelGamma, channelBeta }, shared);
      return { outputs, grads: gradients };
    }),
};

export const batchChannelNormAdapters: readonly Adapter[] = [standardization, convolution, steps];
