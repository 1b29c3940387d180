import { grads, keep, ones, square, sum, tensor2d, zeros, type Tensor } from '@tensorflow/tfjs-core';
import { powerNorm, powerNormInference, type PowerNormState } from '@evenkeel/norms';

export async function main() {
  const x = tensor2d([[1], [3]]); // [2, 1]: two tokens of one channel
  const options = { groups: 0, warmupSteps: 100 };
  let state: PowerNormState = { runningPhi: ones([1]), emaGz: zeros([1]), iterations: 0 };

  // A training step: the forward pass gives the next running mean square, the backward pass the next emaGz.
  let { emaGz } = state;
  let next = state;
  const loss = (input: Tensor) => {
    const { y, runningPhi, iterations } = powerNorm(input, undefined, undefined, state, {
      ...options,
      onBackward: (moved) => (emaGz = moved),
    });
    next = { runningPhi: keep(runningPhi), emaGz, iterations };
    return sum(square(y));
  };
  const [dx] = grads(loss)([x]); // [2, 1]
  state = { ...next, emaGz };

  // Inference: a constant scale for each channel.
  const inferred = powerNormInference(x, state.runningPhi, undefined, undefined, { groups: 0 }); // [2, 1]
  return {
    dx: await dx!.array(),
    runningPhi: await state.runningPhi.array(),
    emaGz: await state.emaGz.array(),
    inferred: await inferred.array(),
  };
}
