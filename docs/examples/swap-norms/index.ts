import { layers, sequential } from '@tensorflow/tfjs-layers';
import { createNorm, replaceNorm } from '@evenkeel/norms/models';

export function main() {
  // A norm by its name: all take axis, epsilon, center and scale.
  const trained = sequential({
    layers: [
      layers.conv2d({ filters: 8, kernelSize: 3, useBias: false, inputShape: [14, 14, 1] }),
      createNorm('batch', { epsilon: 1e-5, momentum: 0.9, name: 'norm' }), // [null, 12, 12, 8]
      layers.activation({ activation: 'relu' }),
    ],
  });

  // Another norm in its place. The first model stays as it was.
  const { model, replaced } = replaceNorm(trained, 'batch', 'group', { groups: 4 });
  return { layer: model.getLayer('norm').getClassName(), replaced };
}
