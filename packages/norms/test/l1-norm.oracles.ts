// Computes the cases of shiftquant-l1.json that are about normalization.
import { grads, mean, ones, reshape, zeros, type Tensor } from '@tensorflow/tfjs-core';
import type { Adapter } from '../../../tools/oracles/adapter.ts';
import { readAll, toTensors } from '../../../tools/oracles/tensors.ts';
import { l1BatchNorm, l1BatchNormInference, l1LayerNorm, updateMovingDeviations } from '../src/index.ts';
import { deviate } from '../src/l1.ts';

interface Params {
  op?: string;
  axes: number[];
  eps: number;
  gaussian_scale: boolean;
  /** PyTorch's: the share of the new value. */
  momentum: number;
}

const claimsOp =
  (op: string): Adapter['claims'] =>
  ({ params }) =>
    params['op'] === op;

/** Over all axes but the last: batch normalization. Over the last: layer normalization. */
const l1Norm: Adapter = {
  claims: claimsOp('l1Norm'),
  run: ({ params, inputs }) =>
    readAll(() => {
      const { x, gamma, beta, dy } = toTensors(inputs) as Record<'x' | 'gamma' | 'beta' | 'dy', Tensor>;
      const { axes, eps: epsilon, gaussian_scale: gaussianScale } = params as unknown as Params;
      const options = { epsilon, gaussianScale };
      const byChannel = !axes.includes(x.rank - 1);
      const compute = (a: Tensor, b: Tensor, c: Tensor): Tensor =>
        byChannel ? l1BatchNorm(a, b, c, options).y : l1LayerNorm(a, b, c, { ...options, axes });
      const statistics = byChannel ? l1BatchNorm(x, gamma, beta, options) : deviate(x, axes, true);
      const mu = mean(x, axes, true);
      const [dx, dgamma, dbeta] = grads(compute)([x, gamma, beta], dy) as [Tensor, Tensor, Tensor];
      return {
        outputs: {
          y: compute(x, gamma, beta),
          mean: mu,
          mad: reshape(statistics.deviation, mu.shape),
        },
        grads: { x: dx, gamma: dgamma, beta: dbeta },
      };
    }),
};

/** Training steps, then inference with the moving statistics. */
const l1BatchNormRunning: Adapter = {
  claims: claimsOp('l1BatchNormRunning'),
  run: ({ params, inputs }) =>
    readAll(() => {
      const tensors = toTensors(inputs);
      const { eps: epsilon, momentum } = params as unknown as Params;
      const channels = [tensors['x_1']!.shape.at(-1)!];
      const outputs: Record<string, Tensor> = {};
      let moving = { mean: zeros(channels), deviation: ones(channels) };
      for (let step = 1; tensors[`x_${step}`] !== undefined; step++) {
        const x = tensors[`x_${step}`]!;
        moving = updateMovingDeviations(moving, l1BatchNorm(x, undefined, undefined, { epsilon }), x.size / channels[0]!, {
          momentum: 1 - momentum,
        });
        outputs[`running_mean_${step}`] = moving.mean;
        outputs[`running_mad_${step}`] = moving.deviation;
      }
      outputs['y_eval'] = l1BatchNormInference(tensors['x_eval']!, moving.mean, moving.deviation, undefined, undefined, { epsilon });
      return { outputs };
    }),
};

export const l1NormAdapters: readonly Adapter[] = [l1Norm, l1BatchNormRunning];
