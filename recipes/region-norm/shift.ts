// What a hole in a photograph does to the valid pixels of a first convolution's features, as section 3 of the paper asks.
import { conv2d, mean, slice, sqrt, square, tensor, tidy, type Tensor, type Tensor4D } from '@tensorflow/tfjs-core';
import { random } from '@evenkeel/core';
import { instanceNorm, maskedMoments, regionNormalize } from '@evenkeel/norms';
import type { Figures } from '../harness/index.ts';
import { readPicture } from './pictures.ts';

export const RATIOS = [10, 25, 40] as const;
const CHANNELS = 16;

/** A square hole of so many percent of the pixels, in the middle. */
function holeOf(width: number, height: number, percent: number): Float32Array {
  const side = Math.round(Math.sqrt((percent / 100) * width * height));
  const [left, top] = [Math.floor((width - side) / 2), Math.floor((height - side) / 2)];
  return Float32Array.from({ length: width * height }, (_, i) => {
    const [x, y] = [i % width, Math.floor(i / width)];
    return x >= left && x < left + side && y >= top && y < top + side ? 1 : 0;
  });
}

/** Of the valid pixels, which are region 0. */
const valid = (moments: Tensor): Tensor => slice(moments, [0, 0], [1, CHANNELS]);

/** Root mean square of the channels' means over valid pixels, by hole; and how far from 1 their variances are at most, at the largest hole. */
export async function measureShift(byRegion: boolean, seed: number): Promise<Figures> {
  const { width, height, values } = await readPicture('coffee');
  const kernel = random(seed)
    .stream('kernel')
    .normal(27 * CHANNELS);
  const figures: Record<string, number> = {};
  for (const percent of RATIOS) {
    const hole = holeOf(width, height, percent);
    const filled = values.map((value, i) => (hole[Math.floor(i / 3)] === 1 ? 1 : value));
    const found = tidy(() => {
      const mask = tensor(hole, [1, height, width, 1]);
      const features: Tensor = conv2d(
        tensor(filled, [1, height, width, 3]) as Tensor4D,
        tensor(kernel, [3, 3, 3, CHANNELS]) as Tensor4D,
        1,
        'same',
      );
      const y = byRegion ? regionNormalize(features, mask, { statistics: 'instance' }) : instanceNorm(features);
      const moments = maskedMoments(y, mask);
      return { mean: sqrt(mean(square(valid(moments.mean)))), variance: valid(moments.variance) };
    });
    figures[`mean shift at ${percent}%`] = (await found.mean.data())[0]!;
    const deviations = Array.from(await found.variance.data(), (variance) => Math.abs(variance - 1));
    figures['variance off by'] = Math.max(...deviations);
    found.mean.dispose();
    found.variance.dispose();
  }
  return figures;
}
