// Listens at the calls of layers, wherever in a model they are, and at the gradients that come back.
import { clone, customGrad, dispose, keep, type Tensor } from '@tensorflow/tfjs-core';
import type { layers } from '@tensorflow/tfjs-layers';
import type { Kwargs } from '../keras.ts';

/** What passed a layer in one call. The tensors are the probe's own. */
export interface Passage {
  readonly layer: layers.Layer;
  readonly input: Tensor;
  readonly output: Tensor;
  /** Gradients of the loss, once a backward pass has come by. */
  inputGradient?: Tensor;
  outputGradient?: Tensor;
}

export interface Probe {
  /** In the order of the calls. */
  readonly passages: readonly Passage[];
  /** Lets the layers be as they were. */
  remove(): void;
  /** Disposes what was kept. */
  dispose(): void;
}

/** x, with its gradient handed to `note`. */
function watched(x: Tensor, note: (dy: Tensor) => void): Tensor {
  if (x.dtype !== 'float32') return x;
  const pass = customGrad((input) => ({
    value: clone(input as Tensor),
    gradFunc: (dy: Tensor) => {
      note(keep(clone(dy)));
      return clone(dy);
    },
  }));
  return pass(x);
}

const listOf = <T>(value: T | T[]): T[] => (Array.isArray(value) ? value : [value]);

/** Keeps the first input and the first output of each call of these layers. */
export function probe(observed: Iterable<layers.Layer>, gradients: boolean): Probe {
  const passages: Passage[] = [];
  const restore: (() => void)[] = [];
  for (const layer of observed) {
    const own = Object.getOwnPropertyDescriptor(layer, 'call');
    const call = layer.call.bind(layer);
    restore.push(() => {
      if (own) Object.defineProperty(layer, 'call', own);
      else Reflect.deleteProperty(layer, 'call');
    });
    layer.call = (inputs: Tensor | Tensor[], kwargs: Kwargs): Tensor | Tensor[] => {
      const [x, ...rest] = listOf(inputs) as [Tensor, ...Tensor[]];
      // tfjs-layers disposes of values that it needs no more: a clone stays.
      const passage: { layer: layers.Layer; input: Tensor; inputGradient?: Tensor; outputGradient?: Tensor } = {
        layer,
        input: keep(clone(x)),
      };
      const seen = gradients ? watched(x, (dy) => (passage.inputGradient = dy)) : x;
      const [y, ...others] = listOf(call(Array.isArray(inputs) ? [seen, ...rest] : seen, kwargs)) as [Tensor, ...Tensor[]];
      passages.push(Object.assign(passage, { output: keep(clone(y)) }));
      const out = gradients ? watched(y, (dy) => (passage.outputGradient = dy)) : y;
      return others.length > 0 ? [out, ...others] : out;
    };
  }
  return {
    passages,
    remove: () => restore.forEach((undo) => undo()),
    dispose: () => {
      for (const { input, output, inputGradient, outputGradient } of passages) {
        dispose([input, output, inputGradient, outputGradient].filter((one) => one !== undefined));
      }
    },
  };
}
