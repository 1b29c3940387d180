import type { KernelCall } from '@evenkeel/core';
import type { CompanderAttributes } from './op.ts';

/** Kernels are for the arctangent; other functions are composed of tfjs' own. */
export function supports({ attrs: { kind } }: KernelCall<CompanderAttributes>): string | undefined {
  return kind === 'arctan' ? undefined : `kernels are for arctan, not ${kind}`;
}
