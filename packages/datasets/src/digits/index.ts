export type { LabelledImages } from '../images.ts';
export { loadDigits, type DigitsOptions } from './digits.ts';
