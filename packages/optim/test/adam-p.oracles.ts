// Computes the cases of adamp.json: steps of an optimizer with given gradients, on one variable.
import { add, keep, tidy, variable, type Tensor } from '@tensorflow/tfjs-core';
import type { Adapter } from '../../../tools/oracles/adapter.ts';
import { readAll, toTensors } from '../../../tools/oracles/tensors.ts';
import { AdamP } from '../src/adam-p/optimizer.ts';
import { SGDP } from '../src/sgd-p/optimizer.ts';

interface Params {
  optimizer: 'AdamP' | 'SGDP';
  lr: number;
  betas?: [number, number];
  eps?: number;
  momentum?: number;
  dampening?: number;
  weight_decay?: number;
  delta?: number;
  wd_ratio?: number;
  nesterov?: boolean;
  projectMomentumBuffer?: boolean;
  steps: number;
}

/** The optimizer of a case, whose channels come first. */
function optimizerOf(params: Params): AdamP | SGDP {
  const { lr, weight_decay: weightDecay, delta, wd_ratio: wdRatio, nesterov, eps: epsilon } = params;
  const common = { learningRate: lr, weightDecay, delta, wdRatio, nesterov, epsilon };
  const groups = [{ variables: () => true, channelAxes: [0] }];
  if (params.optimizer === 'AdamP') return new AdamP({ ...common, beta1: params.betas?.[0], beta2: params.betas?.[1], groups });
  const { momentum, dampening, projectMomentumBuffer } = params;
  return new SGDP({ ...common, momentum, dampening, projectMomentumBuffer, groups });
}

const steps: Adapter = {
  claims: ({ params }) => params['optimizer'] === 'AdamP' || params['optimizer'] === 'SGDP',
  run: async ({ params, inputs }) => {
    const { steps: count } = params as unknown as Params;
    const optimizer = optimizerOf(params as unknown as Params);
    const value = tidy(() => variable(toTensors({ w_0: inputs['w_0']! })['w_0']!));
    const outputs: Record<string, Tensor> = {};
    for (let t = 1; t <= count; t++) {
      tidy(() => {
        optimizer.applyGradients({ [value.name]: toTensors({ g: inputs[`grad_${t}`]! })['g']! });
        outputs[`w_${t}`] = keep(add(value, 0));
      });
    }
    const [iterations, ...state] = await optimizer.getWeights();
    iterations!.tensor.dispose();
    const names = params['optimizer'] === 'AdamP' ? ['exp_avg_final', 'exp_avg_sq_final'] : ['momentum_final'];
    state.forEach(({ tensor }, i) => (outputs[names[i]!] = tidy(() => add(tensor, 0))));
    optimizer.dispose();
    value.dispose();
    return readAll(() => ({ outputs }));
  },
};

export const adamPAdapters: readonly Adapter[] = [steps];
