// Norms whose papers define the backward pass, and let it move state: tfjs' tape has no place for either, so they are a gradient with a side effect.
import { clone, customGrad, keep, tidy, type Tensor } from '@tensorflow/tfjs-core';

type Tensors = Readonly<Record<string, Tensor>>;
type Optional = Readonly<Record<string, Tensor | undefined>>;

export interface DefinedBackward {
  /** What is differentiated with respect to. */
  readonly inputs: Optional;
  /** What else both passes read. */
  readonly constants: Optional;
  /** Computes `y`, and what is constant beside it: it comes out, and goes on to `backward`. */
  forward(tensors: Tensors): { y: Tensor } & Record<string, Tensor>;
  /**
   * Gradients by input. `first` says whether this forward pass has not been differentiated before: only then may state move. Called with
   * inputs, constants and what `forward` gave beside y.
   */
  backward(dy: Tensor, tensors: Tensors, first: boolean): Tensors;
}

function present(tensors: Optional): Record<string, Tensor> {
  return Object.fromEntries(Object.entries(tensors).filter(([, tensor]) => tensor !== undefined)) as Record<string, Tensor>;
}

const named = (names: readonly string[], tensors: readonly Tensor[]): Tensors =>
  Object.fromEntries(names.map((name, i) => [name, tensors[i]!]));

/**
 * Runs a norm with the backward pass that it defines. `scope` names the tidy that it runs in: tfjs would take the gradient of a kernel of
 * that name for this one.
 */
export function definedBackward(
  scope: string,
  { inputs, constants, forward, backward }: DefinedBackward,
): { y: Tensor } & Record<string, Tensor> {
  return tidy(scope, () => {
    const variables = present(inputs);
    const names = Object.keys(variables);
    const fixed = present(constants);
    let beside: Tensors = {};
    let first = true;
    const run = customGrad((...given) => {
      const save = given.at(-1) as unknown as (tensors: Tensor[]) => void;
      const tensors = { ...named(names, given as Tensor[]), ...fixed };
      const { y, ...others } = forward(tensors);
      beside = others;
      for (const tensor of Object.values(others)) keep(tensor);
      const all = { ...tensors, ...others };
      save(Object.values(all));
      const gradFunc = (dy: Tensor, saved: Tensor[]): Tensor[] => {
        const gradients = backward(dy, named(Object.keys(all), saved), first);
        first = false;
        return names.map((name) => gradients[name]!);
      };
      return { value: y!, gradFunc };
    });
    const y = run(...Object.values(variables));
    const out: Record<string, Tensor> = {};
    for (const [name, tensor] of Object.entries(beside)) {
      // Kept beyond the gradient's own scope; from here on it lives as long as y.
      out[name] = clone(tensor);
      tensor.dispose();
    }
    return { ...out, y };
  });
}
