import { randomNormal, reshape, slice, train, type Tensor } from '@tensorflow/tfjs-core';
import { layers, sequential } from '@tensorflow/tfjs-layers';
import { LayerNormLSTMCell } from '@evenkeel/norms/layers';

export async function main() {
  const model = sequential();
  model.add(layers.rnn({ cell: new LayerNormLSTMCell({ units: 8 }), inputShape: [10, 3] })); // [null, 8]
  model.add(layers.dense({ units: 3 })); // [null, 3]
  model.compile({ optimizer: train.adam(0.02), loss: 'meanSquaredError' });

  // The task: to remember the first step of a sequence until its end.
  const x = randomNormal([64, 10, 3], 0, 1, 'float32', 1);
  const first = reshape(slice(x, [0, 0, 0], [64, 1, 3]), [64, 3]);
  const { history } = await model.fit(x, first, { epochs: 20, batchSize: 32, verbose: 0 });
  const loss = history['loss'] as number[];
  return { shape: (model.predict(x) as Tensor).shape, learned: loss.at(-1)! < loss[0]! };
}
