import { ones, tensor, zeros } from '@tensorflow/tfjs-core';
import { batchChannelNorm, batchChannelNormInference } from '@evenkeel/norms';
import { channelActivity } from '@evenkeel/norms/models';

export async function main() {
  // One picture of two positions with four channels, in two groups. The second channel is far below its neighbour.
  const x = tensor([1, -9, 2, 4, 3, -7, 6, 0], [1, 1, 2, 4]);
  let state = { mean: zeros([4]), variance: ones([4]) };

  // A training step: the statistics move, here all the way, and normalize.
  const { y, ...next } = batchChannelNorm(x, state, {}, { groups: 2, updateRate: 1 }); // y [1, 1, 2, 4]
  state = next;

  // Inference: by the statistics as they are.
  const inferred = batchChannelNormInference(x, state, {}, { groups: 2 }); // [1, 1, 2, 4]

  // Without the batch part the second channel would be below 0 for good, and a ReLU behind it would pass nothing.
  const without = batchChannelNormInference(x, { mean: zeros([4]), variance: ones([4]) }, {}, { groups: 2 });
  return {
    mean: await state.mean.array(),
    variance: await state.variance.array(),
    same: await inferred.data().then((values) => [...values]),
    y: await y.data().then((values) => [...values]),
    dead: (await channelActivity(y)).dead,
    deadWithout: (await channelActivity(without)).dead,
  };
}
