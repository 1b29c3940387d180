import { losses, ones, tensor2d, zeros, type Tensor } from '@tensorflow/tfjs-core';
import { layers, sequential } from '@tensorflow/tfjs-layers';
import { inspectNorms } from '@evenkeel/norms/models';

export async function main() {
  const model = sequential({
    layers: [layers.dense({ units: 3, inputShape: [2] }), layers.reLU(), layers.layerNormalization({ name: 'norm' })],
  });
  model.layers[0]!.setWeights([
    tensor2d([
      [1, 0, -1],
      [0, 1, -1],
    ]),
    zeros([3]),
  ]);
  const batch = tensor2d([
    [1, 0],
    [0, 1],
    [2, 2],
  ]);
  const labels = ones([3, 3]);
  const { norms } = await inspectNorms(model, batch, { loss: (y) => losses.meanSquaredError(labels, y as Tensor) });
  const { input, gradients } = norms[0]!;
  return { mean: input.mean, dead: input.deadChannels, rank: input.effectiveRank, beta: gradients!.weights['beta'] };
}
