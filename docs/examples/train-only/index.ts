import { randomNormal, tensor1d, type Tensor } from '@tensorflow/tfjs-core';
import { layers, sequential } from '@tensorflow/tfjs-layers';
import { applyAdapter, createNorm, saveSeeded, seedWeights, takeAdapter, trainBySgd, trainOnly } from '@evenkeel/norms/models';

export async function main() {
  const model = sequential({
    layers: [
      layers.conv2d({ filters: 8, kernelSize: 3, useBias: false, inputShape: [8, 8, 1] }),
      createNorm('batch', { epsilon: 1e-5, momentum: 0.9, name: 'norm' }),
      layers.activation({ activation: 'relu' }),
      layers.globalAveragePooling2d({ dataFormat: 'channelsLast' }),
      layers.dense({ units: 2 }),
    ],
  });
  seedWeights(model, { seed: 1 }); // the same bits on every backend
  const before = await takeAdapter(model); // gamma, beta and running statistics

  // Everything else is frozen: no gradient of it is computed, and no bit of it changes.
  const { counts, restore } = trainOnly(model, 'norms');
  const x = randomNormal([16, 8, 8, 1], 0, 1, 'float32', 1);
  const labels = tensor1d(
    Array.from({ length: 16 }, (_, i) => i % 2),
    'int32',
  );
  const losses = await trainBySgd(
    model,
    Array.from({ length: 20 }, () => ({ x, labels })),
    { learningRate: 0.1, weightDecay: 1e-4 },
  );
  restore();

  // A checkpoint is the seed and what no longer is as the seed gave it.
  const saved = await saveSeeded(model);

  // One frozen model, and for each user norms of their own.
  const trained = await takeAdapter(model);
  applyAdapter(model, before);
  const asBefore = model.predict(x) as Tensor; // [16, 2]
  applyAdapter(model, trained);
  return {
    trainable: counts.trainable,
    frozen: counts.frozen,
    learned: losses.at(-1)! < losses[0]!,
    saved: Object.keys(saved.weights),
    logits: asBefore.shape,
  };
}
