import { ones } from '@tensorflow/tfjs-core';
import { layers, sequential } from '@tensorflow/tfjs-layers';
import { foldNorm } from '@evenkeel/norms/models';

export async function main() {
  const trained = sequential({
    layers: [
      layers.conv2d({ name: 'conv', filters: 4, kernelSize: 3, padding: 'same', useBias: false, inputShape: [8, 8, 3] }),
      layers.batchNormalization({ name: 'bn1' }),
      layers.reLU({ name: 'relu' }),
      layers.batchNormalization({ name: 'bn2', betaInitializer: 'ones' }),
      layers.conv2d({ name: 'last', filters: 2, kernelSize: 3, padding: 'same' }),
    ],
  });
  const { model, report } = await foldNorm(trained, { batch: ones([2, 8, 8, 3]) });
  return {
    layers: model.layers.map(({ name }) => name),
    results: report.layers.map(({ layer, result, into }) => [layer, result, ...into]),
    same: report.outputs.every(({ relative }) => relative < 1e-5),
    parameters: report.parameters,
    values: report.values,
  };
}
