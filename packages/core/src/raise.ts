import { getBackend, type Tensor } from '@tensorflow/tfjs-core';
import type { EvenkeelError } from './errors.ts';
import { registry } from './registry.ts';

/**
 * Throws `error` if the bool scalar `flag` is true: at once where the backend reads at once, else at the backend's next `await data()`.
 * Disposes the flag. For errors that depend on values; the op itself must have left its state untouched.
 */
export function raiseIf(flag: Tensor, error: EvenkeelError): void {
  const name = getBackend();
  const runner = registry.runners.get(name);
  if (runner?.defer === undefined && name !== 'webgpu') {
    const raised = flag.dataSync()[0] !== 0;
    flag.dispose();
    if (raised) throw error;
    return;
  }
  const check = flag.data().then(([raised]) => {
    flag.dispose();
    return raised === 0 ? undefined : error;
  });
  if (runner?.defer) runner.defer(check);
  // tfjs' own webgpu backend without our runner has no place to report to: an unhandled rejection is at least heard.
  else void check.then((found) => (found ? Promise.reject(found) : undefined));
}
