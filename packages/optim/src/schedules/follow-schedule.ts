import { EvenkeelError, expect, show } from '@evenkeel/core';
import type { Schedule } from '../optimizer/optimizer.ts';

/** An optimizer whose learning rate can be set. All of this package are. */
export interface Scheduled {
  learningRate: number | Schedule;
  /** How many steps it has made. */
  readonly iterations: number;
}

/** What `model.fit` takes in `callbacks`: a plain object, so that this does without tfjs-layers. */
export interface ScheduleCallback {
  onBatchBegin(): Promise<void>;
}

/**
 * A callback of `model.fit` that sets the optimizer's learning rate before each batch, by the optimizer's own count of steps: a training that
 * is resumed goes on where it was.
 *
 * @throws EvenkeelError INVALID_ARGUMENT for an optimizer without a rate that can be set, or, in training, for a rate that is no number >= 0
 *
 * @example
 * const optimizer = new AdamP({ learningRate: 0.01 });
 * model.compile({ optimizer, loss: 'meanSquaredError' });
 * await model.fit(x, y, { callbacks: followSchedule(optimizer, warmUp(20, cosineDecay(0.01, 200))) });
 */
export function followSchedule(optimizer: Scheduled, schedule: Schedule): ScheduleCallback {
  const { learningRate } = optimizer;
  const isRate = typeof learningRate === 'number' || typeof learningRate === 'function';
  expect(isRate, 'followSchedule', 'optimizer', 'one that has a learningRate', optimizer);
  expect(typeof schedule === 'function', 'followSchedule', 'schedule', 'a function of the step', schedule);
  return {
    onBatchBegin: async () => {
      const rate = schedule(optimizer.iterations);
      if (!(Number.isFinite(rate) && rate >= 0)) {
        throw new EvenkeelError('INVALID_ARGUMENT', `schedule(${optimizer.iterations}) is ${show(rate)}, expected a number >= 0`, {
          op: 'followSchedule',
          argument: 'schedule',
        });
      }
      optimizer.learningRate = rate;
    },
  };
}
