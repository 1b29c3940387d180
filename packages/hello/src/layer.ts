import { tidy, type serialization, type Tensor } from '@tensorflow/tfjs-core';
import { initializers, layers, type LayerVariable, type Shape } from '@tensorflow/tfjs-layers';
import { EvenkeelError, expect } from '@evenkeel/core';
import { helloNorm } from './op.ts';

type LayerArgs = NonNullable<ConstructorParameters<typeof layers.Layer>[0]>;

export interface HelloNormalizationArgs extends LayerArgs {
  /** Default 1e-6. */
  epsilon?: number;
}

/**
 * {@link helloNorm} as a layer, with a gamma that is trained.
 *
 * @throws EvenkeelError INVALID_ARGUMENT for epsilon <= 0, SHAPE for a last axis of unknown length
 *
 * @example
 * const model = tf.sequential();
 * model.add(tf.layers.dense({ units: 64, inputShape: [16] }));
 * model.add(new HelloNormalization()); // [null, 64]
 */
// #region layer
export class HelloNormalization extends layers.Layer {
  static readonly className = 'HelloNormalization';
  private readonly epsilon: number;
  private gamma: LayerVariable | undefined;

  constructor(args: HelloNormalizationArgs = {}) {
    super(args);
    this.epsilon = args.epsilon ?? 1e-6;
    expect(Number.isFinite(this.epsilon) && this.epsilon > 0, 'HelloNormalization', 'epsilon', 'a finite number > 0', this.epsilon);
    this.supportsMasking = true;
  }

  override build(inputShape: Shape | Shape[]): void {
    const width = inputShape.at(-1);
    if (typeof width !== 'number') {
      throw new EvenkeelError('SHAPE', `the last axis of [${inputShape.join(', ')}] has no known length`, { op: 'HelloNormalization' });
    }
    this.gamma = this.addWeight('gamma', [width], 'float32', initializers.ones());
    super.build(inputShape);
  }

  override call(inputs: Tensor | Tensor[], kwargs: Parameters<layers.Layer['call']>[1]): Tensor {
    return tidy(() => {
      this.invokeCallHook(inputs, kwargs);
      return helloNorm(Array.isArray(inputs) ? inputs[0]! : inputs, this.gamma!.read(), { epsilon: this.epsilon });
    });
  }

  override getConfig(): serialization.ConfigDict {
    return { ...super.getConfig(), epsilon: this.epsilon };
  }
}
// #endregion layer
