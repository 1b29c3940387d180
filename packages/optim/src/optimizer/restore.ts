import type { Tensor } from '@tensorflow/tfjs-core';
import { EvenkeelError, show } from '@evenkeel/core';

/** The state of variables as it was saved, in order. */
export type SavedState = readonly { readonly name: string; readonly state: Record<string, Tensor> }[];

interface Trained {
  readonly name: string;
  readonly value: Tensor;
}

/**
 * Whose the saved state is: the variables' of the same names; where those are others, as in a model that was loaded beside the first, the
 * variables' in the same order.
 *
 * @throws EvenkeelError SHAPE where shapes or the number of variables have changed
 */
export function matchState(op: string, saved: SavedState, trained: readonly Trained[]): Map<string, Record<string, Tensor>> {
  const byName = new Map(saved.map(({ name, state }) => [name, state]));
  const known = trained.filter(({ name }) => byName.has(name));
  if (known.length === 0 && saved.length !== trained.length) {
    const message = `the saved state is of ${saved.length} variables (${show(saved.map(({ name }) => name))}), expected ${trained.length}`;
    throw new EvenkeelError('SHAPE', `${message} (${show(trained.map(({ name }) => name))})`, { op, argument: 'weightValues' });
  }
  const pairs =
    known.length > 0
      ? known.map(({ name, value }) => ({ name, value, state: byName.get(name)! }))
      : trained.map(({ name, value }, i) => ({ name, value, state: saved[i]!.state }));
  for (const { name, value, state } of pairs) {
    for (const [slot, tensor] of Object.entries(state)) {
      if (tensor.shape.join() === value.shape.join()) continue;
      const message = `the saved ${slot} of ${show(name)} has shape [${tensor.shape.join(', ')}], expected [${value.shape.join(', ')}]`;
      throw new EvenkeelError('SHAPE', message, { op, argument: 'weightValues' });
    }
  }
  // State of variables that take no part now is kept for when they do.
  const rest = known.length > 0 ? saved.filter(({ name }) => !known.some((each) => each.name === name)) : [];
  return new Map([...pairs, ...rest].map(({ name, state }) => [name, state]));
}
