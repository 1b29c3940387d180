export type { LabelledImages, PixelsOf } from '../images.ts';
export { loadMnist, type LoadMnistOptions } from './load.ts';
export { parseMnist, type ParseMnistOptions } from './mnist.ts';
