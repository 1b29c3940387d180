import { tensor } from '@tensorflow/tfjs-core';
import { instanceNorm } from '@evenkeel/norms';

export async function main() {
  // Two pictures of 2 positions with 1 channel: the second is the first with more contrast, and more light.
  const x = tensor([1, 2, 10, 30], [2, 2, 1]);
  const y = instanceNorm(x); // [2, 2, 1]
  return { y: await y.data().then((values) => [...values]) };
}
