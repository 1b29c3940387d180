// What a visitor draws, as MNIST has its digits.
import { PIXELS, SIDE } from './sizes.ts';

/** MNIST's digits are made to fit a box of this side, and then moved so that their center of mass is in the middle. */
const BOX = 20;

/**
 * Ink from 0 to 1 of a square of any side, as MNIST has it: cut out, made to fit, and centered. An empty square stays empty.
 */
export function asDigit(ink: Float32Array, side: number): Float32Array {
  let [left, top, right, bottom] = [side, side, -1, -1];
  for (let p = 0; p < ink.length; p++) {
    if (ink[p]! < 0.1) continue;
    const [x, y] = [p % side, Math.floor(p / side)];
    [left, right, top, bottom] = [Math.min(left, x), Math.max(right, x), Math.min(top, y), Math.max(bottom, y)];
  }
  const digit = new Float32Array(PIXELS);
  if (right < 0) return digit;
  const scale = Math.max(right - left + 1, bottom - top + 1) / BOX;
  const [width, height] = [Math.ceil((right - left + 1) / scale), Math.ceil((bottom - top + 1) / scale)];
  const small = new Float32Array(width * height);
  let [sum, sumX, sumY] = [0, 0, 0];
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const value = averaged(ink, side, left + x * scale, top + y * scale, scale);
      small[y * width + x] = value;
      sum += value;
      sumX += value * x;
      sumY += value * y;
    }
  }
  const [moveX, moveY] = [Math.round((SIDE - 1) / 2 - sumX / sum), Math.round((SIDE - 1) / 2 - sumY / sum)];
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const [toX, toY] = [x + moveX, y + moveY];
      if (toX >= 0 && toX < SIDE && toY >= 0 && toY < SIDE) digit[toY * SIDE + toX] = small[y * width + x]!;
    }
  }
  return digit;
}

/** The mean of a square part. */
function averaged(ink: Float32Array, side: number, left: number, top: number, length: number): number {
  const [x0, y0] = [Math.floor(left), Math.floor(top)];
  const [x1, y1] = [
    Math.min(side, Math.max(x0 + 1, Math.round(left + length))),
    Math.min(side, Math.max(y0 + 1, Math.round(top + length))),
  ];
  let sum = 0;
  for (let y = y0; y < y1; y++) for (let x = x0; x < x1; x++) sum += ink[y * side + x]!;
  return sum / ((x1 - x0) * (y1 - y0));
}
