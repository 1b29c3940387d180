import { tensor } from '@tensorflow/tfjs-core';
import { sequential, type LayersModel } from '@tensorflow/tfjs-layers';
import { BatchNormalization } from '@evenkeel/norms/layers';
import { getStatistics, mergeStatistics, resetStatistics } from '@evenkeel/norms/models';

const replica = () => sequential({ layers: [new BatchNormalization({ name: 'norm', momentum: 0, inputShape: [1] })] });

function read(model: LayersModel) {
  const statistics = Object.values(getStatistics(model)); // moving mean [1], moving variance [1]
  return Promise.all(statistics.map((each) => each.array()));
}

export async function main() {
  // Two replicas, each with data of its own.
  const [first, second] = [replica(), replica()];
  first.layers[0]!.apply(tensor([1, 3], [2, 1]), { training: true }); // a training step: mean 2, variance 1
  second.layers[0]!.apply(tensor([4, 6, 4, 6], [4, 1]), { training: true }); // mean 5, variance 1

  // Both get the statistics of all six numbers.
  const merged = await mergeStatistics([first, second], { counts: [2, 4] });
  const [both, again] = [await read(first), await read(second)];

  resetStatistics(first);
  return { merged, both, again, reset: await read(first) };
}
