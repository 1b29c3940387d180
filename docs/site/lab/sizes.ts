/** Digits of the file that the build writes. */
export const TRAIN = 10_000;
export const TEST = 2_000;
export const SIDE = 28;
export const PIXELS = SIDE * SIDE;
export const CLASSES = 10;
