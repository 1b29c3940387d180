import { add, matMul, ones, tensor2d, zeros } from '@tensorflow/tfjs-core';
import { batchNorm, batchNormInference, foldBatchNorm, updateMovingStatistics, type Statistics } from '@evenkeel/norms';

export async function main() {
  const kernel = tensor2d([[1], [1]]);
  const batch = tensor2d([
    [1, 0],
    [2, 1],
  ]);
  const x = matMul(batch, kernel); // [2, 1]: 1 and 3

  // Training: normalize by the batch, and move the running statistics towards it.
  const { y, mean, variance } = batchNorm(x); // y [2, 1], mean and variance [1]
  const start: Statistics = { mean: zeros([1]), variance: ones([1]) };
  const moving = updateMovingStatistics(start, { mean, variance }, x.size / mean.size, { momentum: 0.5 });

  // Inference: normalize by the running statistics, or fold them into the layer before, which then costs nothing.
  const inferred = batchNormInference(x, moving.mean, moving.variance); // [2, 1]
  const folded = foldBatchNorm({ kernel }, moving); // kernel [2, 1], bias [1]
  const same = add(matMul(batch, folded.kernel), folded.bias); // [2, 1]
  return {
    y: await y.array(),
    mean: await moving.mean.array(),
    variance: await moving.variance.array(),
    inferred: await inferred.array(),
    same: await same.array(),
  };
}
