import type { TensorInfo } from '@tensorflow/tfjs-core';
import { sizeOf } from '@evenkeel/core';
import type { Frame, Module, Standin } from '../frame.ts';
import relaxed from './softmax.relaxed.wasm.ts';
import simd from './softmax.wasm.ts';

const module: Module = { simd, relaxed };

type Softmax = 'softmax' | 'logSoftmax' | 'logSumExp' | 'softmaxGradient';

const isLast = (axis: unknown, { shape }: TensorInfo): boolean => axis === -1 || axis === shape.length - 1;

/** A function of rows that keeps their shape. */
function rows(name: 'softmax' | 'logSoftmax', x: TensorInfo, frame: Frame): TensorInfo {
  const y = frame.output(x.shape);
  const n = x.shape.at(-1) ?? 1;
  if (sizeOf(y.shape) > 0) frame.functions<Softmax>(module)[name](frame.address(x), frame.address(y), sizeOf(y.shape) / n, n);
  return y;
}

export const softmax: Standin = {
  name: 'Softmax',
  serves: ({ logits }, { dim }) => logits!.dtype === 'float32' && isLast(dim, logits!),
  run: ({ logits }, _, frame) => rows('softmax', logits!, frame),
};

/** A kernel of tfjs' list that none of its backends has but webgl; `tf.logSoftmax` does not ask for it. */
export const logSoftmax: Standin = {
  name: 'LogSoftmax',
  serves: ({ logits }, { axis }) => logits!.dtype === 'float32' && isLast(axis, logits!),
  run: ({ logits }, _, frame) => rows('logSoftmax', logits!, frame),
};

/** Ours: softmax' gradient from its result, along the last axis. */
export const softmaxGrad: Standin = {
  name: 'EvenkeelSoftmaxGrad',
  run: ({ dy, y }, _, frame) => {
    const dx = frame.output(y!.shape);
    const n = y!.shape.at(-1) ?? 1;
    const size = sizeOf(y!.shape);
    const { softmaxGradient } = frame.functions<Softmax>(module);
    if (size > 0) softmaxGradient(frame.address(dy), frame.address(y), frame.address(dx), size / n, n);
    return dx;
  },
};

/** Ours: log of the sum of exponentials along the last axis, which is dropped. */
export const logSumExp: Standin = {
  name: 'EvenkeelLogSumExp',
  run: ({ x }, _, frame) => {
    const y = frame.output(x!.shape.slice(0, -1));
    const n = x!.shape.at(-1) ?? 1;
    frame.functions<Softmax>(module).logSumExp(frame.address(x), frame.address(y), sizeOf(y.shape), n);
    return y;
  },
};
