import { ones, tensor } from '@tensorflow/tfjs-core';
import { evoNormB0, evoNormB0Inference, evoNormGroups, evoNormS0, updateMovingVariance } from '@evenkeel/norms';

export async function main() {
  // Two pictures of 1 x 2 positions with 2 channels.
  const x = tensor([1, -2, 3, 2, 5, 0, -1, 4], [2, 1, 2, 2]);

  // S0: each picture by itself, in training and inference alike.
  const s0 = evoNormS0(x, undefined, undefined, undefined, { groups: 1 }); // [2, 1, 2, 2]
  const groups = evoNormGroups(48); // 24: the largest divisor of 48 that is no more than 32

  // B0 in training: the batch's variance comes out, and a moving one follows it.
  const { y, variance } = evoNormB0(x); // [2, 1, 2, 2] and [2]
  const moving = updateMovingVariance(ones([2]), variance, x.size / variance.size);

  // B0 in inference: by the moving variance.
  const b0 = evoNormB0Inference(x, moving); // [2, 1, 2, 2]
  return {
    groups,
    s0: await s0.data().then((values) => [...values]),
    y: await y.data().then((values) => [...values]),
    moving: await moving.array(),
    b0: await b0.data().then((values) => [...values]),
  };
}
