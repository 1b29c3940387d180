import { expect } from '@evenkeel/core';

/** Which images of a data set. */
export interface Range {
  /** The first image. Default 0. */
  readonly offset?: number;
  /** At most that many images. Default: all that there are. */
  readonly limit?: number;
}

/** Throws INVALID_ARGUMENT where no data set has such a range. */
export function checkRange(op: string, { offset = 0, limit = Infinity }: Range): void {
  expect(Number.isInteger(offset) && offset >= 0, op, 'offset', 'an integer >= 0', offset);
  expect(limit === Infinity || (Number.isInteger(limit) && limit >= 1), op, 'limit', 'an integer >= 1', limit);
}

/** First image and end of a range of `count` images. Throws INVALID_ARGUMENT where it begins behind them. */
export function rangeIn(op: string, { offset = 0, limit = Infinity }: Range, count: number): [begin: number, end: number] {
  expect(offset < count, op, 'offset', `less than ${count}, the number of images`, offset);
  return [offset, Math.min(count, offset + limit)];
}
