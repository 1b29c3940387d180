import { expect } from '@evenkeel/core';

/**
 * How many groups an EvoNorm makes of this many channels: the largest divisor of `channels` that is no more than `groups`.
 *
 * @param channels - an integer > 0
 * @param groups - as many as are wanted, an integer > 0. Default 32.
 * @throws EvenkeelError INVALID_ARGUMENT for numbers that are no integers > 0
 *
 * Source: the authors' code, which counts down from the groups that are wanted.
 *
 * @example
 * evoNormGroups(48); // 24
 */
export function evoNormGroups(channels: number, groups = 32): number {
  expect(Number.isInteger(channels) && channels > 0, 'evoNormGroups', 'channels', 'an integer > 0', channels);
  checkGroups('evoNormGroups', groups);
  let count = Math.min(groups, channels);
  while (channels % count !== 0) count--;
  return count;
}

export function checkGroups(op: string, groups: number): void {
  expect(Number.isInteger(groups) && groups > 0, op, 'groups', 'an integer > 0', groups);
}
