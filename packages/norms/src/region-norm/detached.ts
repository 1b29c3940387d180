import { customGrad, type Tensor } from '@tensorflow/tfjs-core';

/** What `compute` gives, as a constant: no gradient goes through it, and none of its operations needs to have one. */
export function detached(compute: () => Tensor): Tensor {
  // The tape sees one operation without inputs.
  return customGrad(() => ({ value: compute(), gradFunc: () => [] }))();
}
