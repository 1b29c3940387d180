// Computes the cases of evonorm.json that are about the layers.
import { fill, grads, type Tensor } from '@tensorflow/tfjs-core';
import type { Adapter } from '../../../tools/oracles/adapter.ts';
import { readAll, toTensors } from '../../../tools/oracles/tensors.ts';
import {
  evoNormB0,
  evoNormB0Inference,
  evoNormB1,
  evoNormB1Inference,
  evoNormB2,
  evoNormB2Inference,
  evoNormS0,
  evoNormS1,
  evoNormS2,
  updateMovingVariance,
  type EvoNormBResult,
} from '../src/index.ts';

interface Params {
  op?: string;
  epsilon?: number;
  decay?: number;
  groups?: number;
  requestedGroups?: number;
  steps?: number;
  movingVariance?: 'biased' | 'unbiased';
  initial?: { moving_variance?: number };
}

/** The norms of a sample. v, where there is one, stands last. */
const ofSample: Record<
  string,
  (x: Tensor, gamma: Tensor, beta: Tensor, v: Tensor, options: { groups: number; epsilon: number }) => Tensor
> = {
  'EvoNorm-S0': evoNormS0,
  'EvoNorm-S1': (x, gamma, beta, _, options) => evoNormS1(x, gamma, beta, options),
  'EvoNorm-S2': (x, gamma, beta, _, options) => evoNormS2(x, gamma, beta, options),
};

interface OfBatch {
  training(x: Tensor, gamma: Tensor, beta: Tensor, v: Tensor, options: { epsilon: number }): EvoNormBResult;
  inference(x: Tensor, variance: Tensor, gamma: Tensor, beta: Tensor, v: Tensor, options: { epsilon: number }): Tensor;
}

const ofBatch: Record<string, OfBatch> = {
  'EvoNorm-B0': { training: evoNormB0, inference: evoNormB0Inference },
  'EvoNorm-B1': {
    training: (x, gamma, beta, _, options) => evoNormB1(x, gamma, beta, options),
    inference: (x, variance, gamma, beta, _, options) => evoNormB1Inference(x, variance, gamma, beta, options),
  },
  'EvoNorm-B2': {
    training: (x, gamma, beta, _, options) => evoNormB2(x, gamma, beta, options),
    inference: (x, variance, gamma, beta, _, options) => evoNormB2Inference(x, variance, gamma, beta, options),
  },
};

const single: Adapter = {
  claims: ({ params }) => Object.hasOwn(ofSample, String(params['op'])),
  run: ({ params, inputs }) =>
    readAll(() => {
      const { dy, ...tensors } = toTensors(inputs);
      const names = Object.keys(tensors);
      const { op, epsilon = 1e-5, groups = 32, requestedGroups = groups } = params as Params;
      const compute = (...values: Tensor[]): Tensor => {
        const { x, gamma, beta, v } = Object.fromEntries(names.map((name, i) => [name, values[i]!])) as Record<string, Tensor>;
        return ofSample[op!]!(x!, gamma!, beta!, v!, { groups: requestedGroups, epsilon });
      };
      const values = Object.values(tensors);
      const gradients = grads(compute)(values, dy);
      return { outputs: { y: compute(...values) }, grads: Object.fromEntries(names.map((name, i) => [`d${name}`, gradients[i]!])) };
    }),
};

/** Training steps with fixed parameters, then inference with the moving variance. */
const steps: Adapter = {
  claims: ({ params }) => Object.hasOwn(ofBatch, String(params['op'])),
  run: ({ params, inputs }) =>
    readAll(() => {
      const tensors = toTensors(inputs);
      const { gamma, beta, v } = tensors as Record<string, Tensor> & { gamma: Tensor; beta: Tensor; v: Tensor };
      const { op, epsilon = 1e-5, decay, movingVariance, initial = {}, steps: count = 1 } = params as Params;
      const { training, inference } = ofBatch[op!]!;
      const parameters = Object.entries({ gamma, beta, v }).filter(([, value]) => value !== undefined) as [string, Tensor][];
      const outputs: Record<string, Tensor> = {};
      const gradients: Record<string, Tensor> = {};
      let moving: Tensor = fill(gamma.shape, initial.moving_variance ?? 1);
      for (let t = 1; t <= count; t++) {
        const [x, dy] = [tensors[`x_${t}`]!, tensors[`dy_${t}`]!];
        const run = (...[a, b, c, d]: Tensor[]): Tensor => training(a!, b!, c!, d!, { epsilon }).y;
        const wrt: [string, Tensor][] = [['x', x], ...parameters];
        const found = grads(run)(
          wrt.map(([, value]) => value),
          dy,
        );
        wrt.forEach(([name], i) => (gradients[`d${name}_${t}`] = found[i]!));
        const { y, variance } = training(x, gamma, beta, v, { epsilon });
        moving = updateMovingVariance(moving, variance, x.size / variance.size, {
          ...(decay !== undefined && { momentum: decay }),
          ...(movingVariance && { movingVariance }),
        });
        Object.assign(outputs, { [`y_${t}`]: y, [`moving_variance_${t}`]: moving });
      }
      outputs['y_eval'] = inference(tensors['x_eval']!, moving, gamma, beta, v, { epsilon });
      return { outputs, grads: gradients };
    }),
};

export const evoNormAdapters: readonly Adapter[] = [single, steps];
