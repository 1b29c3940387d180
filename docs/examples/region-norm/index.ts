import { tensor } from '@tensorflow/tfjs-core';
import { maskedMoments, maskShift, regionNormalize, regionNormBasic, resizeMask } from '@evenkeel/norms';

export async function main() {
  // A picture of 1 x 4 pixels whose second half is a hole, filled with 100. In the mask 1 is hole, 0 is valid.
  const x = tensor([1, 3, 100, 100], [1, 1, 4, 1]);
  const mask = tensor([0, 0, 1, 1], [1, 1, 4, 1]);

  // The fill does not matter to the rest. A constant region becomes 0.
  const y = regionNormalize(x, mask, { statistics: 'instance' }); // [1, 1, 4, 1]

  // How far normalization over all pixels would move the mean of the valid ones: 0 is right.
  const { rms } = maskShift(x, mask);

  // What it is made of, for any number of regions.
  const { count, mean } = maskedMoments(x, mask); // [2] and [2, 1]

  // RN-B: a gain of 1 + gamma for each region, the mask of any resolution.
  const large = resizeMask(mask, [2, 8]); // [1, 2, 8, 1]
  const b = regionNormBasic(x, large, { backgroundGamma: tensor([1]) });
  return {
    y: await y.data().then((values) => [...values]),
    shift: (await rms.data())[0]!,
    count: await count.array(),
    mean: await mean.array(),
    b: await b.data().then((values) => [...values]),
  };
}
