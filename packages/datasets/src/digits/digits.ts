import { labelled, type LabelledImages, type PixelOptions, type PixelsOf } from '../images.ts';
import { checkRange, rangeIn, type Range } from '../range.ts';
import data from './data.ts';

const SHAPE = [8, 8] as const;
const PIXELS = SHAPE[0] * SHAPE[1];
const WHITE = 16;

export interface DigitsOptions<Raw extends boolean = boolean> extends Range, PixelOptions<Raw> {}

/**
 * 1,797 hand-written digits of 8x8 pixels with 17 grey levels, of 13 writers. They are part of this package: nothing is loaded, so this
 * works in browsers and bundles alike.
 *
 * @param options - `offset`, `limit`, `raw` (pixels from 0 to 16 as a Uint8Array)
 * @returns images [count, 8, 8] from 0 (background) to 1 (ink), labels 0 to 9, in the order of the data set: its beginning and its end are
 * of different writers, which makes them a training and a test split
 * @throws EvenkeelError INVALID_ARGUMENT for an option that is out of range
 *
 * Source: E. Alpaydin, C. Kaynak 1998, "Optical Recognition of Handwritten Digits", UCI Machine Learning Repository, CC BY 4.0.
 *
 * @example
 * const train = loadDigits({ limit: 1400 });
 * const test = loadDigits({ offset: 1400 });
 */
export function loadDigits<Raw extends boolean = false>(options: DigitsOptions<Raw> = {}): LabelledImages<PixelsOf<Raw>> {
  const op = 'loadDigits';
  checkRange(op, options);
  const stride = PIXELS + 1;
  const [begin, end] = rangeIn(op, options, data.length / stride);
  const pixels = new Uint8Array((end - begin) * PIXELS);
  const labels = new Uint8Array(end - begin);
  for (let i = 0; i < labels.length; i++) {
    const at = (begin + i) * stride;
    labels[i] = data.charCodeAt(at) - 48;
    for (let pixel = 0; pixel < PIXELS; pixel++) pixels[i * PIXELS + pixel] = data.charCodeAt(at + 1 + pixel) - 97;
  }
  return labelled(pixels, labels, { shape: SHAPE, classes: 10, white: WHITE, raw: options.raw });
}
