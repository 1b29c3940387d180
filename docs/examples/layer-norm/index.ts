import { ones, tensor2d, zeros } from '@tensorflow/tfjs-core';
import { addLayerNorm, layerNorm } from '@evenkeel/norms';

export async function main() {
  const x = tensor2d([
    [1, 3],
    [10, 30],
  ]);
  const [gamma, beta] = [ones([2]), zeros([2])];
  const y = layerNorm(x, gamma, beta); // [2, 2]: every row has mean 0 and variance 1
  const activated = layerNorm(x, gamma, beta, { activation: 'silu' }); // z sigmoid(z) of the same, in the same pass
  const { y: normalized, sum } = addLayerNorm(x, y, gamma, beta); // both [2, 2]: sum = x + y, normalized = layerNorm(sum)
  return { y: await y.array(), activated: await activated.array(), sum: await sum.array(), normalized: await normalized.array() };
}
