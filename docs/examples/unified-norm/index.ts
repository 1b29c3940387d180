import { add, grads, keep, matMul, square, sum, tensor2d, type Tensor } from '@tensorflow/tfjs-core';
import { foldIntoNext, unifiedNorm, unifiedNormInference, unifiedNormState, type UnifiedNormGradState } from '@evenkeel/norms';

export async function main() {
  const x = tensor2d([[1], [3]]); // [2, 1]: two tokens of one channel
  const before = unifiedNormState(1, 4); // one channel, a window of four steps
  let state = before;

  // A training step: the forward pass gives one part of the next state, the backward pass the other.
  const onBackward = (moved: UnifiedNormGradState) => (state = { ...state, ...moved });
  const loss = (input: Tensor) => {
    const { y, ...next } = unifiedNorm(input, undefined, undefined, before, { warmupSteps: 100, onBackward });
    state = { ...state, ...next, runningVar: keep(next.runningVar), squares: keep(next.squares), skipped: keep(next.skipped) };
    return sum(square(y));
  };
  const [dx] = grads(loss)([x]); // [2, 1]

  // Inference: a constant scale and shift for each channel, which the layers that read it can take over.
  const kernel = tensor2d([[2, 4]]); // [1, 2]
  const { runningVar } = state;
  const normalized = matMul(unifiedNormInference(x, runningVar) as typeof x, kernel); // [2, 2]
  const [folded] = foldIntoNext({ meanSquare: runningVar }, [{ kernel }]);
  const same = add(matMul(x, folded!.kernel as typeof x), folded!.bias); // [2, 2]
  return {
    dx: await dx!.array(),
    runningVar: await runningVar.array(),
    normalized: await normalized.array(),
    same: await same.array(),
  };
}
