// Computes the cases of the oracle files: those of layer-norm.json here, others in files of their own. Statistics that the functions do not return are computed here, by their definition.
import {
  add,
  div,
  fill,
  grads,
  mean,
  mul,
  reshape,
  sqrt,
  square,
  stack,
  sub,
  sum,
  unstack,
  zeros,
  type Tensor,
} from '@tensorflow/tfjs-core';
import '@evenkeel/core/register-gradients';
import type { Adapter, Adapters, Case } from '../../../tools/oracles/adapter.ts';
import { readAll, toTensors } from '../../../tools/oracles/tensors.ts';
import {
  batchNorm,
  batchNormInference,
  groupNorm,
  instanceNorm,
  layerNorm,
  layerNormLSTMStep,
  rmsNorm,
  updateMovingStatistics,
  type LayerNormLSTMWeights,
  type LSTMState,
  type MovingStatisticsOptions,
} from '../src/index.ts';
import { batchChannelNormAdapters } from './batch-channel-norm.oracles.ts';
import { crmsNormAdapters } from './crms-norm.oracles.ts';
import { evoNormAdapters } from './evo-norm.oracles.ts';
import { l1NormAdapters } from './l1-norm.oracles.ts';
import { powerNormAdapters } from './power-norm.oracles.ts';
import { regionNormAdapters } from './region-norm.oracles.ts';
import { timeDependentNormAdapters } from './time-dependent-norm.oracles.ts';
import { trainOnlyAdapters } from './train-only.oracles.ts';
import { unifiedNormAdapters } from './unified-norm.oracles.ts';
import { unmixTnsAdapters } from './unmix-tns.oracles.ts';

type Tensors = Record<string, Tensor>;

/** Options of a norm, as the cases call them. What a case leaves out is undefined, and has the function's default. */
interface Params {
  op?: string;
  axes?: number[];
  groups?: number;
  epsilon?: number;
  movingVariance?: 'biased' | 'unbiased';
  momentum?: number;
  steps?: number;
  initial?: { moving_mean?: number; moving_variance?: number };
}

const paramsOf = ({ params }: Pick<Case, 'params'>): Params => params as Params;

/** The options that are given. */
function given<T extends object>(options: { [K in keyof T]: T[K] | undefined }): Partial<T> {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as Partial<T>;
}

const claimsOp =
  (op: string): Adapter['claims'] =>
  (oracle) =>
    paramsOf(oracle).op === op;

/** The tensors that are wanted, in the shape that is wanted: a statistic may keep its axes or not. */
function wantedOf(oracle: Case, all: Tensors): Tensors {
  const names = Object.keys(oracle.wanted.outputs).filter((name) => all[name] !== undefined);
  return Object.fromEntries(
    names.map((name) => [name, reshape(all[name]!, [...(oracle.wanted.outputs[name] as { shape: number[] }).shape])]),
  );
}

/** mean, 1 / sqrt(var + epsilon) and 1 / sqrt(mean(x^2) + epsilon) over `axes`. */
function statistics(x: Tensor, axes: number[], epsilon: number): Tensors {
  const mu = mean(x, axes, true);
  const inverseRoot = (a: Tensor): Tensor => div(1, sqrt(add(a, epsilon)));
  return { mean: mu, rstd: inverseRoot(mean(square(sub(x, mu)), axes, true)), rrms: inverseRoot(mean(square(x), axes, true)) };
}

/** A norm of x with gamma and, where it has one, beta. */
function norm(
  op: string,
  apply: (x: Tensor, gamma: Tensor | undefined, beta: Tensor | undefined, params: Params) => Tensor,
  statisticsOf: (x: Tensor, params: Params) => Tensors,
): Adapter {
  return {
    claims: claimsOp(op),
    run: (oracle) =>
      readAll(() => {
        const { dy, ...inputs } = toTensors(oracle.inputs);
        const names = Object.keys(inputs);
        const params = paramsOf(oracle);
        const compute = (...values: Tensor[]): Tensor => {
          const { x, gamma, beta } = Object.fromEntries(names.map((name, i) => [name, values[i]!])) as Tensors & { x: Tensor };
          return apply(x, gamma, beta, params);
        };
        const values = Object.values(inputs);
        const gradients = grads(compute)(values, dy);
        return {
          outputs: { y: compute(...values), ...wantedOf(oracle, statisticsOf(inputs['x']!, params)) },
          grads: Object.fromEntries(names.map((name, i) => [`d${name}`, gradients[i]!])),
        };
      }),
  };
}

/** [N, ..., C] as [N, positions, groups, C / groups], whose axes 1 and 3 share a statistic. */
function grouped(x: Tensor, groups: number): Tensor {
  const [samples, channels] = [x.shape[0]!, x.shape.at(-1)!];
  return reshape(x, [samples, x.size / (samples * channels), groups, channels / groups]);
}

/** Training steps with fixed gamma and beta, then inference with the moving statistics. */
const batchNormSteps: Adapter = {
  claims: claimsOp('batchNorm'),
  run: (oracle) =>
    readAll(() => {
      const inputs = toTensors(oracle.inputs);
      const { gamma, beta } = inputs as { gamma: Tensor; beta: Tensor };
      const { epsilon, momentum, movingVariance, initial = {}, steps = 1 } = paramsOf(oracle);
      const options = given({ epsilon });
      const moves = given<MovingStatisticsOptions>({ momentum, movingVariance });
      const outputs: Tensors = {};
      const gradients: Tensors = {};
      const differentiate = (suffix: string, normalize: (x: Tensor, gamma: Tensor, beta: Tensor) => Tensor): void => {
        const [x, dy] = [inputs[`x_${suffix}`]!, inputs[`dy_${suffix}`]!];
        outputs[`y_${suffix}`] = normalize(x, gamma, beta);
        const [dx, dgamma, dbeta] = grads(normalize)([x, gamma, beta], dy) as [Tensor, Tensor, Tensor];
        Object.assign(gradients, { [`dx_${suffix}`]: dx, [`dgamma_${suffix}`]: dgamma, [`dbeta_${suffix}`]: dbeta });
      };
      let moving = {
        mean: fill(gamma.shape, initial.moving_mean ?? 0),
        variance: fill(gamma.shape, initial.moving_variance ?? 1),
      };
      for (let step = 1; step <= steps; step++) {
        differentiate(String(step), (x, g, b) => batchNorm(x, g, b, options).y);
        const x = inputs[`x_${step}`]!;
        moving = updateMovingStatistics(moving, batchNorm(x, gamma, beta, options), x.size / gamma.size, moves);
        outputs[`moving_mean_${step}`] = moving.mean;
        outputs[`moving_variance_${step}`] = moving.variance;
      }
      if (inputs['x_eval']) differentiate('eval', (x, g, b) => batchNormInference(x, moving.mean, moving.variance, g, b, options));
      return { outputs, grads: gradients };
    }),
};

/** A sequence [batch, steps, inputs] through the cell; gradients of sum(h_last dh_last) + sum(c_last dc_last). */
const lstm: Adapter = {
  claims: claimsOp('layerNormLSTM'),
  run: (oracle) =>
    readAll(() => {
      const { dh_last: dh, dc_last: dc, ...inputs } = toTensors(oracle.inputs);
      const names = Object.keys(inputs);
      const options = given({ epsilon: paramsOf(oracle).epsilon });
      const compute = (...values: Tensor[]): LSTMState & { all: Tensor } => {
        const by = Object.fromEntries(names.map((name, i) => [name, values[i]!])) as Tensors & { x: Tensor };
        const weights: LayerNormLSTMWeights = {
          kernel: by['kernel']!,
          recurrentKernel: by['recurrent_kernel']!,
          bias: by['bias'],
          gammaX: by['gamma_x'],
          betaX: by['beta_x'],
          gammaH: by['gamma_h'],
          betaH: by['beta_h'],
          gammaC: by['gamma_c'],
          betaC: by['beta_c'],
        };
        const start = [by.x.shape[0]!, weights.recurrentKernel.shape[0]!];
        let state: LSTMState = { h: zeros(start), c: zeros(start) };
        const all = unstack(by.x, 1).map((x) => (state = layerNormLSTMStep(x, state, weights, options)).h);
        return { ...state, all: stack(all, 1) };
      };
      const loss = (...values: Tensor[]): Tensor => {
        const { h, c } = compute(...values);
        return add(sum(mul(h, dh!)), sum(mul(c, dc!)));
      };
      const values = Object.values(inputs);
      const { h, c, all } = compute(...values);
      const gradients = grads(loss)(values);
      return {
        outputs: { h_all: all, h_last: h, c_last: c },
        grads: Object.fromEntries(names.map((name, i) => [`d${name}`, gradients[i]!])),
      };
    }),
};

export const adapters: Adapters = {
  'layer-norm': [
    norm(
      'layerNorm',
      (x, gamma, beta, { axes, epsilon }) => layerNorm(x, gamma, beta, given({ axes, epsilon })),
      (x, { axes = [-1], epsilon = 1e-5 }) => statistics(x, axes, epsilon),
    ),
    norm(
      'rmsNorm',
      (x, gamma, _, { epsilon }) => rmsNorm(x, gamma, given({ epsilon })),
      (x, { epsilon = 1e-6 }) => statistics(x, [-1], epsilon),
    ),
    norm(
      'groupNorm',
      (x, gamma, beta, { groups, epsilon }) => groupNorm(x, gamma, beta, given({ numGroups: groups, epsilon })),
      (x, { groups = 32, epsilon = 1e-5 }) => statistics(grouped(x, groups), [1, 3], epsilon),
    ),
    norm(
      'instanceNorm',
      (x, gamma, beta, { epsilon }) => instanceNorm(x, gamma, beta, given({ epsilon })),
      (x, { epsilon = 1e-5 }) => statistics(grouped(x, x.shape.at(-1)!), [1, 3], epsilon),
    ),
    batchNormSteps,
    lstm,
  ],
  'batch-channel-norm': batchChannelNormAdapters,
  'bn-only-training': trainOnlyAdapters,
  'pre-crmsnorm': crmsNormAdapters,
  evonorm: evoNormAdapters,
  'shiftquant-l1': l1NormAdapters,
  'td-ln-dimr': timeDependentNormAdapters,
  powernorm: powerNormAdapters,
  'region-norm': regionNormAdapters,
  'unified-norm': unifiedNormAdapters,
  'unmix-tns': unmixTnsAdapters,
};
