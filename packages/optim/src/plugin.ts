import type { Plugin } from '@evenkeel/core';
import { AdamPStep } from './adam-p/op.ts';
import { AdamP } from './adam-p/optimizer.ts';
import { AdamWStep } from './adam-w/op.ts';
import { AdamW } from './adam-w/optimizer.ts';
import { GradientAccumulation } from './gradient-accumulation/gradient-accumulation.ts';
import { LionStep } from './lion/op.ts';
import { Lion } from './lion/optimizer.ts';
import { MarginSums } from './logistic-regression/op.ts';
import { owner } from './owner.ts';
import { SGDPStep } from './sgd-p/op.ts';
import { SGDP } from './sgd-p/optimizer.ts';
import { SGDWStep } from './sgd-w/op.ts';
import { SGDW } from './sgd-w/optimizer.ts';
import { SumOfSquares } from './sum-of-squares/op.ts';

/** All of this package, for `use(optim)`: from then on, models that were saved with one of its optimizers load. */
export const optim: Plugin = {
  ...owner,
  ops: [AdamPStep, AdamWStep, LionStep, MarginSums, SGDPStep, SGDWStep, SumOfSquares],
  layers: [AdamP, AdamW, GradientAccumulation, Lion, SGDP, SGDW],
};
