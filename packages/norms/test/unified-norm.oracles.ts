// Computes the cases of unified-norm.json.
import { add, cast, clone, dispose, grads, keep, matMul, mul, sub, sum, type Tensor } from '@tensorflow/tfjs-core';
import type { Adapter } from '../../../tools/oracles/adapter.ts';
import { readAll, toTensors } from '../../../tools/oracles/tensors.ts';
import {
  foldIntoNext,
  foldIntoPrevious,
  unifiedNorm,
  unifiedNormInference,
  unifiedNormState,
  type UnifiedNormOptions,
} from '../src/index.ts';

interface Params {
  epsilon?: number;
  momentum?: number;
  window?: number | [number, number];
  warmupSteps?: number;
  outlierFiltration?: boolean;
  steps?: number;
  initialIter?: number;
}

/** Training steps with fixed gamma and beta, then inference. */
const steps: Adapter = {
  claims: ({ params }) => params['op'] === 'unifiedNorm',
  run: ({ params, inputs }) =>
    readAll(() => {
      const tensors = toTensors(inputs);
      const { gamma, beta, pad_mask: padding } = tensors as { gamma: Tensor; beta: Tensor; pad_mask?: Tensor };
      const {
        epsilon = 1e-5,
        momentum = 0.9,
        window = 4,
        warmupSteps = 4000,
        outlierFiltration = false,
        steps: count = 1,
      } = params as Params;
      const { initialIter = 0 } = params as Params;
      const options: UnifiedNormOptions = {
        epsilon,
        momentum,
        warmupSteps,
        outlierFiltration,
        mask: padding && sub(1, cast(padding, 'float32')),
      };
      const outputs: Record<string, Tensor> = {};
      const gradients: Record<string, Tensor> = {};
      const first = unifiedNormState(gamma.size, window);
      let state = {
        ...first,
        runningVar: tensors['running_var_0'] ?? first.runningVar,
        emaGz: tensors['ema_gz_0'] ?? first.emaGz,
        squares: tensors['buffer_x2_0'] ?? first.squares,
        gradients: tensors['buffer_gz_0'] ?? first.gradients,
        iterations: initialIter,
      };
      const kept: Tensor[] = [];
      for (let t = 1; t <= count; t++) {
        const [x, dy] = [tensors[`x_${t}`]!, tensors[`dy_${t}`]!];
        let next = state;
        const [dx, dgamma, dbeta] = grads((a: Tensor, b: Tensor, c: Tensor) => {
          const { y, ...forward } = unifiedNorm(a, b, c, state, {
            ...options,
            onBackward: (moved) => {
              next = { ...next, ...moved };
              kept.push(moved.emaGz, moved.gradients);
            },
          });
          next = { ...next, ...forward };
          kept.push(keep(forward.runningVar), keep(forward.squares), keep(forward.skipped), keep(y));
          outputs[`y_${t}`] = y;
          return sum(mul(y, dy));
        })([x, gamma, beta]);
        state = next;
        Object.assign(gradients, { [`dx_${t}`]: dx, [`dgamma_${t}`]: dgamma, [`dbeta_${t}`]: dbeta });
        Object.assign(outputs, {
          [`y_${t}`]: clone(outputs[`y_${t}`]!),
          [`running_var_${t}`]: clone(state.runningVar),
          [`ema_gz_${t}`]: clone(state.emaGz),
          [`skip_counter_${t}`]: clone(state.skipped),
        });
      }
      outputs[`buffer_x2_${count}`] = clone(state.squares);
      outputs[`buffer_gz_${count}`] = clone(state.gradients);
      outputs['y_eval'] = unifiedNormInference(tensors['x_eval']!, state.runningVar, gamma, beta, { epsilon });
      dispose(kept);
      return { outputs, grads: gradients };
    }),
};

const dense = (x: Tensor, { kernel, bias }: { kernel: Tensor; bias: Tensor }): Tensor => add(matMul(x as never, kernel as never), bias);

const fuse: Adapter = {
  claims: ({ params }) => params['op'] === 'fuse',
  run: ({ params, inputs }) =>
    readAll(() => {
      const all = toTensors(inputs) as Record<string, Tensor>;
      const { epsilon = 1e-5 } = params as Params;
      const norm = { meanSquare: all['running_var']!, gamma: all['gamma']!, beta: all['beta']!, epsilon };
      const [next] = foldIntoNext(norm, [{ kernel: all['next_kernel']!, bias: all['next_bias']! }]);
      const previous = foldIntoPrevious({ kernel: all['prev_kernel']!, bias: all['prev_bias']! }, norm);
      return {
        outputs: {
          y_norm_then_dense: dense(all['x']!, next!),
          fused_next_kernel: next!.kernel,
          fused_next_bias: next!.bias,
          y_dense_then_norm: dense(all['x_prev']!, previous),
          fused_prev_kernel: previous.kernel,
          fused_prev_bias: previous.bias,
        },
      };
    }),
};

export const unifiedNormAdapters: readonly Adapter[] = [steps, fuse];
