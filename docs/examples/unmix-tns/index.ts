import { mean, tensor, tensor1d, type Tensor } from '@tensorflow/tfjs-core';
import { layers, sequential } from '@tensorflow/tfjs-layers';
import { adaptModel, inspectAdaptation, resetAdaptation } from '@evenkeel/norms/models';

export async function main() {
  // A trained model, of which only the norm is shown: gamma, beta, moving mean and moving variance of two channels.
  const model = sequential({ layers: [layers.batchNormalization({ name: 'norm', inputShape: [2, 2, 2] })] });
  model.layers[0]!.setWeights([tensor1d([1, 1]), tensor1d([0, 0]), tensor1d([1, 2]), tensor1d([1, 4])]);
  const frame = tensor([5, 0, 6, 1, 5, 1, 6, 0], [1, 2, 2, 2]); // nothing like what it was trained on
  const seen = async () => {
    const y = model.predict(frame) as Tensor; // [1, 2, 2, 2]
    return mean(y, [0, 1, 2]).array(); // [2]
  };
  const source = await seen();

  // From here on each frame that the model sees moves its statistics.
  await adaptModel(model, { components: 2, temperature: 1, momentum: 0.5, maxBatchSize: 1 });
  const first = await seen();
  for (let i = 0; i < 10; i++) await seen();
  const later = await seen();
  const { skipped } = (await inspectAdaptation(model))['norm']!;

  // Back to where it started.
  resetAdaptation(model);
  return { source, first, later, again: await seen(), skipped };
}
