import { scalar, tensor1d, tensor2d } from '@tensorflow/tfjs-core';
import { layerNorm, timeDependentLayerNorm, timeDependentParameter, type TimeDependentWeights } from '@evenkeel/norms';

export async function main() {
  // From 1 at early times to 3 at late ones.
  const gamma: TimeDependentWeights = { p0: tensor1d([3, 3]), p1: tensor1d([1, 1]), w: tensor1d([9, 9]), b: tensor1d([0, 0]) };
  const x = tensor2d([
    [1, 3],
    [1, 3],
    [1, 3],
  ]);
  const y = timeDependentLayerNorm(x, tensor1d([-1, 0, 1]), { gamma }); // [3, 2]: samples 1, 500 and 1000 steps into the noise

  // A sampler has one time for all samples: then it is a layer norm with the gamma of that time.
  const late = timeDependentParameter(gamma, scalar(1)); // [2]
  const same = layerNorm(x, late); // [3, 2]
  return { y: await y.array(), late: await late.array(), same: await same.array() };
}
