// Computes the cases of weight-compander.json.
import { add, grads, matMul, maximum, mean, mul, square, sub, sum, tensor1d, valueAndGrads, type Tensor } from '@tensorflow/tfjs-core';
import type { Adapter } from '../../../tools/oracles/adapter.ts';
import { readAll, toTensors } from '../../../tools/oracles/tensors.ts';
import { applyCompander, invertCompander } from '../src/weight-compander/index.ts';

interface Params {
  a: number;
  b: number;
  lr: number;
  weight_decay_on_v: number;
  learn_a_b: boolean;
  a0: number;
  b0: number;
  steps: number;
  a_b_min: number;
}

const claimsOp =
  (op: string): Adapter['claims'] =>
  ({ params }) =>
    params['op'] === op;

const paramsOf = (params: object): Params => params as Params;
const MOMENTUM = 0.9;

const forward: Adapter = {
  claims: claimsOp('compand'),
  run: ({ params, inputs }) =>
    readAll(() => {
      const { v, dy } = toTensors(inputs) as { v: Tensor; dy: Tensor };
      const [a, b] = [tensor1d([paramsOf(params).a]), tensor1d([paramsOf(params).b])];
      const [dv, da, db] = grads((x: Tensor, y: Tensor, z: Tensor) => applyCompander(x, y, z))([v, a, b], dy) as [Tensor, Tensor, Tensor];
      const farthest = tensor1d([1e20]);
      const unit = grads((x: Tensor) => sum(applyCompander(x, a, b)))([tensor1d([0])]) as [Tensor];
      const outputs = { w: applyCompander(v, a, b), bound: applyCompander(farthest, a, b), slope_at_zero: unit[0] };
      return { outputs, grads: { v: dv, a: da, b: db } };
    }),
};

const inverse: Adapter = {
  claims: claimsOp('invert'),
  run: ({ params, inputs }) =>
    readAll(() => ({ outputs: { v: invertCompander(toTensors(inputs)['w']!, paramsOf(params).a, paramsOf(params).b) } })),
};

/** Least squares by gradient descent with momentum; what is learnt of a and b stays above a least value. */
const training: Adapter = {
  claims: claimsOp('train'),
  run: ({ params, inputs }) =>
    readAll(() => {
      const { lr, weight_decay_on_v, learn_a_b, a0, b0, steps, a_b_min } = paramsOf(params);
      const { X, Y, V_0 } = toTensors(inputs) as { X: Tensor; Y: Tensor; V_0: Tensor };
      const loss = (v: Tensor, a: Tensor, b: Tensor): Tensor => mean(square(sub(matMul(X, applyCompander(v, a, b)), Y)));
      let values = [V_0, tensor1d([a0]), tensor1d([b0])] as [Tensor, Tensor, Tensor];
      const velocities: (Tensor | undefined)[] = [];
      const outputs: Record<string, Tensor> = {};
      for (let step = 1; step <= steps; step++) {
        const found = valueAndGrads(loss as (...all: Tensor[]) => Tensor)(values);
        outputs[`loss_${step}`] = add(found.value, tensor1d([0]));
        values = values.map((value, i) => {
          if (i > 0 && !learn_a_b) return value;
          const gradient = i === 0 ? add(found.grads[i]!, mul(value, weight_decay_on_v)) : found.grads[i]!;
          const before = velocities[i];
          const velocity = before === undefined ? gradient : add(mul(before, MOMENTUM), gradient);
          velocities[i] = velocity;
          const next = sub(value, mul(velocity, lr));
          return i === 0 ? next : maximum(next, a_b_min);
        }) as [Tensor, Tensor, Tensor];
      }
      const [v_final, a_final, b_final] = values;
      return { outputs: { ...outputs, v_final, a_final, b_final, w_final: applyCompander(...values) } };
    }),
};

export const weightCompanderAdapters: readonly Adapter[] = [forward, inverse, training];
