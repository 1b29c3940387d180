import { tensor2d } from '@tensorflow/tfjs-core';
import { compressZeroMean, crmsNorm, decompressZeroMean, layerNorm } from '@evenkeel/norms';

export async function main() {
  const x = tensor2d([[1, 2, -3]]); // mean 0
  const compressed = compressZeroMean(x); // [1, 2]: without the -3, which is minus the sum of the others
  const normalized = crmsNorm(compressed); // [1, 2]
  const y = decompressZeroMean(normalized); // [1, 3]
  const same = layerNorm(x); // [1, 3]
  return { compressed: await compressed.array(), y: await y.array(), same: await same.array() };
}
