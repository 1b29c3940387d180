// Computes the cases of powernorm.json.
import { add, cast, grads, mul, ones, sub, sum, zeros, type Tensor } from '@tensorflow/tfjs-core';
import type { Adapter } from '../../../tools/oracles/adapter.ts';
import { readAll, toTensors } from '../../../tools/oracles/tensors.ts';
import { groupScaling, powerNorm, powerNormInference, type PowerNormState } from '../src/index.ts';

interface Params {
  op?: string;
  epsilon?: number;
  groups?: number;
  alphaFwd?: number;
  alphaBwd?: number;
  warmupSteps?: number;
  steps?: number;
}

const scaling: Adapter = {
  claims: ({ params }) => params['op'] === 'groupScaling',
  run: ({ params, inputs }) =>
    readAll(() => {
      const { x, dy } = toTensors(inputs) as { x: Tensor; dy: Tensor };
      const { groups = 1, epsilon = 1e-5 } = params as Params;
      const scale = (a: Tensor): Tensor => groupScaling(a, groups, { epsilon });
      return { outputs: { y: scale(x) }, grads: { dx: grads(scale)([x], dy)[0]! } };
    }),
};

/** Training steps with fixed gamma and beta, then inference. */
const steps: Adapter = {
  claims: ({ params }) => params['op'] === 'powerNorm',
  run: ({ params, inputs }) =>
    readAll(() => {
      const tensors = toTensors(inputs);
      const { gamma, beta, pad_mask: padding } = tensors as { gamma: Tensor; beta: Tensor; pad_mask?: Tensor };
      const { epsilon = 1e-5, groups = 1, alphaFwd = 0.9, alphaBwd = 0.9, warmupSteps = 10_000, steps: count = 1 } = params as Params;
      const options = { epsilon, groups, alphaForward: alphaFwd, alphaBackward: alphaBwd, warmupSteps };
      const mask = padding && sub(1, cast(padding, 'float32'));
      const outputs: Record<string, Tensor> = {};
      const gradients: Record<string, Tensor> = {};
      let state: PowerNormState = { runningPhi: ones(gamma.shape), emaGz: zeros(gamma.shape), iterations: 0 };
      for (let t = 1; t <= count; t++) {
        const [x, dy] = [tensors[`x_${t}`]!, tensors[`dy_${t}`]!];
        let { emaGz } = state;
        const run = (a: Tensor, b: Tensor, c: Tensor) =>
          powerNorm(a, b, c, state, { ...options, mask, onBackward: (next) => (emaGz = next) });
        const [dx, dgamma, dbeta] = grads((a: Tensor, b: Tensor, c: Tensor) => sum(mul(run(a, b, c).y, dy)))([x, gamma, beta]);
        const { y, runningPhi, iterations } = run(x, gamma, beta);
        Object.assign(gradients, { [`dx_${t}`]: dx, [`dgamma_${t}`]: dgamma, [`dbeta_${t}`]: dbeta });
        Object.assign(outputs, { [`y_${t}`]: y, [`running_phi_${t}`]: runningPhi, [`ema_gz_${t}`]: add(emaGz, 0) });
        if (t > 1) state.emaGz.dispose();
        state = { runningPhi, emaGz, iterations };
      }
      outputs['y_eval'] = powerNormInference(tensors['x_eval']!, state.runningPhi, gamma, beta, { epsilon, groups });
      state.emaGz.dispose();
      return { outputs, grads: gradients };
    }),
};

export const powerNormAdapters: readonly Adapter[] = [scaling, steps];
