import { tensor1d, tensor2d } from '@tensorflow/tfjs-core';
import { addRmsNorm, rmsNorm } from '@evenkeel/norms';

export async function main() {
  const x = tensor2d([
    [3, 4],
    [30, 40],
  ]);
  const gamma = tensor1d([1, 2]);
  const y = rmsNorm(x, gamma); // [2, 2]: rows that differ by a factor become the same
  const { y: normalized, sum } = addRmsNorm(x, y, gamma); // both [2, 2]: sum = x + y, normalized = rmsNorm(sum)
  return { y: await y.array(), sum: await sum.array(), normalized: await normalized.array() };
}
