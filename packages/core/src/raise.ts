import { getBackend, keep, type Tensor } from '@tensorflow/tfjs-core';
import type { EvenkeelError } from './errors.ts';
import { registry } from './registry.ts';

/**
 * Throws `error` if one of the bool `flags` is true: at once where the backend reads at once, else at the backend's next `await data()`. An
 * error may be a function of the index of the first that is. Disposes the flags. For errors that depend on values; the op itself must have
 * left its state untouched.
 */
export function raiseIf(flags: Tensor, error: EvenkeelError | ((index: number) => EvenkeelError)): void {
  const name = getBackend();
  const runner = registry.runners.get(name);
  const found = (values: ArrayLike<number>): EvenkeelError | undefined => {
    flags.dispose();
    const index = Array.prototype.findIndex.call(values, (value: number) => value !== 0);
    if (index < 0) return undefined;
    return typeof error === 'function' ? error(index) : error;
  };
  if (runner?.defer === undefined && name !== 'webgpu') {
    const raised = found(flags.dataSync());
    if (raised) throw raised;
    return;
  }
  // A tidy that ends before must not take them.
  const check = keep(flags).data().then(found);
  if (runner?.defer) runner.defer(check);
  // tfjs' own webgpu backend without our runner has no place to report to: an unhandled rejection is at least heard.
  else void check.then((raised) => (raised ? Promise.reject(raised) : undefined));
}
