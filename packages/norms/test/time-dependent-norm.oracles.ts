// Computes the cases of td-ln-dimr.json that are about normalization.
import { add, grads, mul, type Tensor } from '@tensorflow/tfjs-core';
import type { Adapter, Claimable } from '../../../tools/oracles/adapter.ts';
import { readAll, toTensors } from '../../../tools/oracles/tensors.ts';
import { timeDependentLayerNorm, timeDependentParameter, timeDependentRmsNorm, type TimeDependentWeights } from '../src/index.ts';

type Tensors = Record<string, Tensor>;

const has = (record: Claimable['inputs'], ...names: readonly string[]): boolean => names.every((name) => Object.hasOwn(record, name));

const parameter: Adapter = {
  claims: ({ inputs, outputs }) => has(inputs, 'param0', 'param1', 'weight', 'bias', 'times', 'dy') && has(outputs, 'y'),
  run: ({ inputs }) =>
    readAll(() => {
      const { param0, param1, weight, bias, times, dy } = toTensors(inputs) as Record<
        'param0' | 'param1' | 'weight' | 'bias' | 'times' | 'dy',
        Tensor
      >;
      const compute = (p0: Tensor, p1: Tensor, w: Tensor, b: Tensor): Tensor => timeDependentParameter({ p0, p1, w, b }, times);
      const [d0, d1, dw, db] = grads(compute)([param0, param1, weight, bias], dy) as [Tensor, Tensor, Tensor, Tensor];
      return {
        outputs: { y: compute(param0, param1, weight, bias) },
        grads: { d_param0: d0, d_param1: d1, d_weight: dw, d_bias: db },
      };
    }),
};

/** `gamma` and `beta`: how the case's inputs call what scales and what shifts. */
function norm(gamma: string, beta: string | undefined, normalize: typeof timeDependentLayerNorm): Adapter {
  const parts = ['param0', 'param1', 'nodecay_weight', 'nodecay_bias'];
  const prefixes = [gamma, ...(beta === undefined ? [] : [beta])];
  const names = prefixes.flatMap((prefix) => parts.map((part) => `${prefix}.${part}`));
  return {
    claims: ({ inputs, outputs }) =>
      has(inputs, 'x', 'log_snr', 'dy', ...names) && has(outputs, 'y') && Object.keys(inputs).length === names.length + 3,
    run: ({ inputs, params }) =>
      readAll(() => {
        const tensors = toTensors(inputs) as Tensors & { x: Tensor; log_snr: Tensor; dy: Tensor };
        const tau = mul(tensors.log_snr, 1 / 4);
        const compute = (x: Tensor, ...all: Tensor[]): Tensor => {
          const weights = prefixes.map((_, i): TimeDependentWeights => {
            const [p0, p1, w, b] = all.slice(4 * i, 4 * i + 4) as [Tensor, Tensor, Tensor, Tensor];
            return { p0, p1, w: add(w, 1), b };
          });
          return normalize(x, tau, { gamma: weights[0], beta: weights[1] }, { epsilon: params['eps'] as number });
        };
        const values = [tensors.x, ...names.map((name) => tensors[name]!)];
        const gradients = grads(compute as () => Tensor)(values, tensors.dy);
        return {
          outputs: { y: compute(...(values as [Tensor])) },
          grads: Object.fromEntries([['dx', gradients[0]!], ...names.map((name, i) => [`d_${name}`, gradients[i + 1]!] as const)]),
        };
      }),
  };
}

export const timeDependentNormAdapters: readonly Adapter[] = [
  parameter,
  norm('scale', undefined, timeDependentRmsNorm),
  norm('weight', 'bias', timeDependentLayerNorm),
];
