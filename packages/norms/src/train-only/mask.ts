import {
  dispose,
  engine,
  keep,
  Optimizer,
  tensor,
  tidy,
  where,
  zerosLike,
  type NamedTensorMap,
  type Tensor,
  type Variable,
} from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { EvenkeelError, expect, random } from '@evenkeel/core';
import { modelWeights } from './freeze.ts';
import type { ModelWeight } from './weights.ts';

/** Which numbers of which weights may move. */
export interface Masks {
  /** Boolean tensors of the shapes of the weights. A weight without one is not masked. */
  readonly of: ReadonlyMap<Variable, Tensor>;
  /** How many numbers may move. */
  readonly count: number;
  /** Whether a weight has a mask: for `trainOnly(model, masks.has)`. */
  has(this: void, weight: ModelWeight): boolean;
  dispose(): void;
}

export interface RandomMaskOptions {
  /** How many numbers of each output channel may move. Default 2, as many as a norm has. */
  perChannel?: number;
  /** An integer >= 0: the same seed chooses the same numbers, on every backend. */
  seed: number;
}

const CONVOLUTIONS = new Set<string>(['Conv1D', 'Conv2D', 'Conv3D']);

/**
 * Chooses at random which numbers of a model's convolution kernels may move: as many in each output channel, once and for all. With two, the
 * default, as many numbers train as norms would have with gamma and beta: what random weights can do, to compare with them.
 *
 * @throws EvenkeelError INVALID_ARGUMENT for a model without convolutions, a seed that is no integer >= 0, or more numbers than a channel has
 *
 * @example
 * const masks = randomMask(model, { seed: 1 });
 * trainOnly(model, masks.has);
 * model.compile({ optimizer: maskedOptimizer(tf.train.momentum(0.1, 0.9), masks), loss: 'categoricalCrossentropy' });
 */
export function randomMask(model: LayersModel, { perChannel = 2, seed }: RandomMaskOptions): Masks {
  const op = 'randomMask';
  expect(Number.isInteger(perChannel) && perChannel >= 1, op, 'perChannel', 'an integer >= 1', perChannel);
  const kernels = modelWeights(model).filter(({ layer, name }) => CONVOLUTIONS.has(layer.getClassName()) && name.endsWith('/kernel'));
  if (kernels.length === 0) {
    throw new EvenkeelError('INVALID_ARGUMENT', 'model has no convolution, expected one', { op, argument: 'model' });
  }
  const sequence = random(seed).stream('masks');
  const chosen = kernels.map(({ name, variable }) => {
    const shape = variable.shape as number[];
    const channels = shape.at(-1)!;
    const inputs = shape.slice(0, -1).reduce((product, length) => product * length, 1);
    expect(perChannel <= inputs, op, 'perChannel', `at most the ${inputs} numbers of a channel of ${name}`, perChannel);
    const mask = new Uint8Array(inputs * channels);
    for (let channel = 0; channel < channels; channel++) {
      const order = sequence.stream(name).stream(channel).permutation(inputs);
      for (const at of order.subarray(0, perChannel)) mask[at * channels + channel] = 1;
    }
    return { variable: variable.read() as Variable, shape, mask };
  });
  const of = new Map(chosen.map(({ variable, shape, mask }) => [variable, keep(tensor(mask, shape, 'bool'))]));
  return {
    of,
    count: chosen.reduce((sum, { shape }) => sum + perChannel * shape.at(-1)!, 0),
    has: ({ variable }) => of.has(variable.read() as Variable),
    dispose: () => dispose([...of.values()]),
  };
}

/** A gradient, with 0 where its weight may not move. */
export function maskGradient(masks: Masks | undefined, variable: Variable, gradient: Tensor): Tensor {
  const mask = masks?.of.get(variable);
  return mask ? where(mask, gradient, zerosLike(gradient)) : gradient;
}

type NamedTensors = Awaited<ReturnType<Optimizer['getWeights']>>;

class MaskedOptimizer extends Optimizer {
  static readonly className = 'MaskedOptimizer';
  private readonly inner: Optimizer;
  private readonly masks: Masks;

  constructor(inner: Optimizer, masks: Masks) {
    super();
    this.inner = inner;
    this.masks = masks;
  }

  override applyGradients(gradients: NamedTensorMap | NamedTensors): void {
    const { registeredVariables } = engine() as { registeredVariables: Readonly<Record<string, Variable>> };
    const list = Array.isArray(gradients) ? gradients : Object.entries(gradients).map(([name, gradient]) => ({ name, tensor: gradient }));
    tidy(() => {
      const masked = list.map(({ name, tensor: gradient }) => ({
        name,
        tensor: maskGradient(this.masks, registeredVariables[name]!, gradient),
      }));
      const moved = list.map(({ name }) => registeredVariables[name]!).filter((variable) => this.masks.of.has(variable));
      const before = moved.map((variable) => variable.clone());
      this.inner.applyGradients(masked);
      // An optimizer moves weights without a gradient, too: by decay, or by what it remembers.
      moved.forEach((variable, i) => variable.assign(where(this.masks.of.get(variable)!, variable, before[i]!)));
    });
    this.incrementIterations();
  }

  override dispose(): void {
    super.dispose();
    this.inner.dispose();
  }

  override getWeights(): Promise<NamedTensors> {
    return this.inner.getWeights();
  }

  override setWeights(weights: NamedTensors): Promise<void> {
    return this.inner.setWeights(weights);
  }

  getConfig(): ReturnType<Optimizer['getConfig']> {
    return this.inner.getConfig();
  }
}

/**
 * An optimizer that moves of the masked weights only what their masks let it: the gradient is masked before the optimizer sees it, and
 * what it makes of the rest (by weight decay, by momentum) is undone, bit for bit. Weights without a mask move as ever.
 *
 * @param optimizer - is used, and disposed with it
 *
 * @example
 * model.compile({ optimizer: maskedOptimizer(tf.train.adam(1e-3), masks), loss: 'meanSquaredError' });
 */
export function maskedOptimizer(optimizer: Optimizer, masks: Masks): Optimizer {
  return new MaskedOptimizer(optimizer, masks);
}
