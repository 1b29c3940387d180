import '@tensorflow/tfjs-backend-cpu';
import { grads, setBackend, tensor, tidy, type Tensor } from '@tensorflow/tfjs-core';
import { beforeAll, expect, test } from 'vitest';
// By path: npm test does not install the bench.
import '../../packages/core/src/register-gradients.node.ts';
import { BatchNorm, GroupNorm, L1BatchNorm, L1LayerNorm, LayerNorm, RMSNorm } from '../../packages/norms/src/index.ts';
import { compare } from '../harness/verify.ts';
import { data, EPSILON, NUM_GROUPS, parametersOf, SMOKE_SHAPES, type FormulaOp } from './cases.ts';
import { expected } from './expected.ts';

beforeAll(async () => {
  await setBackend('cpu');
});

const L1 = { epsilon: EPSILON, gaussianScale: false, gradFloor: 0 };

const references: Record<FormulaOp, (x: Tensor, gamma: Tensor, beta: Tensor) => Tensor> = {
  layerNorm: (x, gamma, beta) => LayerNorm.definition.reference({ x, gamma, beta }, { axes: [-1], epsilon: EPSILON, activation: 'linear' }),
  rmsNorm: (x, gamma) => RMSNorm.definition.reference({ x, gamma }, { epsilon: EPSILON, activation: 'linear' }),
  batchNorm: (x, gamma, beta) => BatchNorm.definition.reference({ x, gamma, beta }, { epsilon: EPSILON }).y,
  groupNorm: (x, gamma, beta) =>
    GroupNorm.definition.reference({ x, gamma, beta }, { numGroups: NUM_GROUPS, epsilon: EPSILON, activation: 'linear' }),
  l1LayerNorm: (x, gamma, beta) => L1LayerNorm.definition.reference({ x, gamma, beta }, { ...L1, axes: [-1] }),
  l1BatchNorm: (x, gamma, beta) => L1BatchNorm.definition.reference({ x, gamma, beta }, L1).y,
};

test.each(Object.keys(references) as FormulaOp[])('the formulas of %s are those of its reference, forward and backward', (op) => {
  const shape = [...SMOKE_SHAPES[op][0]!];
  const inputs = data(shape);
  const found = tidy(() => {
    const [x, gamma, beta, dy] = [tensor(inputs.x, shape), tensor(inputs.gamma), tensor(inputs.beta), tensor(inputs.dy, shape)];
    const parameters = parametersOf(op).includes('beta') ? [gamma, beta] : [gamma];
    const [dx, dgamma, dbeta] = grads((a: Tensor, b: Tensor, c: Tensor) => references[op](a, b, c ?? beta))([x, ...parameters], dy);
    const y = references[op](x, gamma, beta);
    const outputs = { y, dx: dx!, dgamma: dgamma!, ...(dbeta && { dbeta }) };
    return Object.fromEntries(Object.entries(outputs).map(([name, each]) => [name, each.dataSync() as Float32Array]));
  });
  const which = { op, shape, data: inputs };
  expect(compare(found, expected({ ...which, pass: 'forward' })).error).toBeLessThan(1e-5);
  expect(compare(found, expected({ ...which, pass: 'forward+backward' })).error).toBeLessThan(1e-5);
});
