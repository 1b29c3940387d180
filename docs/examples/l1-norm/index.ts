import { ones, tensor2d, zeros } from '@tensorflow/tfjs-core';
import { l1BatchNorm, l1BatchNormInference, l1LayerNorm, updateMovingDeviations, type Deviations } from '@evenkeel/norms';

export async function main() {
  const x = tensor2d([
    [1, 3, 8],
    [1e30, 3e30, 8e30], // the square of such numbers is infinite
  ]);
  const y = l1LayerNorm(x); // [2, 3]: the same row twice

  // Training: normalize by the batch, and move the running statistics towards it.
  const batch = tensor2d([[1], [3], [8]]);
  const { mean, deviation } = l1BatchNorm(batch); // [1] each: 4 and 8/3
  const start: Deviations = { mean: zeros([1]), deviation: ones([1]) };
  const moving = updateMovingDeviations(start, { mean, deviation }, 3, { momentum: 0.5 });

  // Inference: normalize by the running statistics.
  const inferred = l1BatchNormInference(batch, moving.mean, moving.deviation); // [3, 1]
  return { y: await y.array(), deviation: await moving.deviation.array(), inferred: await inferred.array() };
}
