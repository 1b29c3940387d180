import { tensor } from '@tensorflow/tfjs-core';
import { groupNorm } from '@evenkeel/norms';

export async function main() {
  // One picture of 1 x 2 positions with 4 channels; channels 0 and 1 are the first group, 2 and 3 the second.
  const x = tensor([1, 2, 10, 20, 3, 4, 30, 40], [1, 1, 2, 4]);
  const y = groupNorm(x, undefined, undefined, { numGroups: 2 }); // [1, 1, 2, 4]
  return { y: await y.data().then((values) => [...values]) };
}
