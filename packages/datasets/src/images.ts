// What every data set of labelled images gives.

/** Images and their classes, as typed arrays. */
export interface LabelledImages<Pixels extends Float32Array | Uint8Array = Float32Array> {
  /** [count, ...shape] in row-major order. */
  readonly images: Pixels;
  /** [count], the class of each image. */
  readonly labels: Int32Array;
  readonly count: number;
  /** Height and width of an image. */
  readonly shape: readonly [height: number, width: number];
  /** How many classes there are; labels are below it. */
  readonly classes: number;
}

/** Pixels from 0 to 1, of pixels from 0 to `white`. */
export function toUnit(pixels: Uint8Array, white: number): Float32Array {
  const unit = new Float32Array(pixels.length);
  for (let i = 0; i < pixels.length; i++) unit[i] = pixels[i]! / white;
  return unit;
}

/** Pixels as a caller wants them. */
export interface PixelOptions<Raw extends boolean = boolean> {
  /** The pixels as stored, a Uint8Array, in place of float32 from 0 to 1. Default false. */
  readonly raw?: Raw;
}

export type PixelsOf<Raw extends boolean> = Raw extends true ? Uint8Array : Float32Array;

/** The images as the caller wants them. */
export function labelled<Raw extends boolean>(
  pixels: Uint8Array,
  labels: ArrayLike<number>,
  about: { readonly shape: readonly [number, number]; readonly classes: number; readonly white: number; readonly raw: Raw | undefined },
): LabelledImages<PixelsOf<Raw>> {
  const { shape, classes, white, raw } = about;
  const images = (raw ? pixels : toUnit(pixels, white)) as PixelsOf<Raw>;
  return { images, labels: Int32Array.from(labels), count: labels.length, shape, classes };
}
