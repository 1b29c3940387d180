import { tensor1d, tensor2d } from '@tensorflow/tfjs-core';
import { rmsNorm } from '@evenkeel/norms';

export async function main() {
  const x = tensor2d([
    [3, 4],
    [30, 40],
  ]);
  const gamma = tensor1d([1, 2]);
  const y = rmsNorm(x, gamma); // [2, 2]: rows that differ by a factor become the same
  return { y: await y.array() };
}
