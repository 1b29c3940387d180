import { tensor, zeros, type Tensor } from '@tensorflow/tfjs-core';
import { layers, sequential } from '@tensorflow/tfjs-layers';
import { weightStandardize } from '@evenkeel/norms';
import { GroupNormalization, WSConv2D } from '@evenkeel/norms/layers';
import { bakeWeights } from '@evenkeel/norms/models';

export async function main() {
  // Two filters of three weights. The second is ten times the first, and further from 0: standardized they are the same.
  const kernel = tensor([1, 60, 2, 70, 6, 110], [1, 1, 3, 2]);
  const standardized = weightStandardize(kernel); // [1, 1, 3, 2]

  // In a model: a convolution, a norm behind it.
  const model = sequential({
    layers: [
      new WSConv2D({ filters: 8, kernelSize: 3, useBias: false, inputShape: [6, 6, 3] }),
      new GroupNormalization({ groups: 2 }),
      layers.reLU(),
    ],
  });

  // For inference: the layers of tfjs, whose kernels are standardized once.
  const baked = bakeWeights(model);
  const y = baked.predict(zeros([1, 6, 6, 3])) as Tensor; // [1, 4, 4, 8]
  return {
    standardized: await standardized.data().then((values) => [...values]),
    layers: baked.layers.map((layer) => layer.getClassName()),
    shape: y.shape,
  };
}
