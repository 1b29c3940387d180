import { tidy, type serialization, type Tensor } from '@tensorflow/tfjs-core';
import { InputSpec } from '@tensorflow/tfjs-layers';
import { EvenkeelError } from '@evenkeel/core';
import { ActivatedLayer, type ActivatedArgs } from '../affine.ts';
import { axesLast, knownLengths, positiveAxes } from '../axes-last.ts';
import { trailingAxes } from '../axes.ts';
import { oneShape, oneTensor, type Kwargs, type Shape } from '../keras.ts';
import { layerNorm } from './op.ts';

export interface LayerNormalizationArgs extends ActivatedArgs {
  /** The axis or axes that share a mean and a variance; negative ones count from the end. Default -1. */
  axis?: number | number[];
  /** Default 1e-3, as in Keras; the function {@link layerNorm} has 1e-5. */
  epsilon?: number;
}

/**
 * Layer normalization as a layer: Keras' `LayerNormalization`, on {@link layerNorm}.
 * gamma and beta have the lengths of the normalized axes, in ascending order. Axes that are not the last ones are transposed there and back.
 *
 * @throws EvenkeelError INVALID_ARGUMENT for epsilon <= 0, an axis that the input does not have or whose length is unknown
 *
 * @example
 * const model = tf.sequential();
 * model.add(tf.layers.dense({ units: 64, inputShape: [16] }));
 * model.add(new LayerNormalization()); // [null, 64]
 */
export class LayerNormalization extends ActivatedLayer {
  static readonly className = 'LayerNormalization';
  private readonly axis: number | number[];
  private axes: number[] = [];

  constructor(args: LayerNormalizationArgs & { rmsScaling?: boolean } = {}) {
    super(args, 1e-3);
    // An option of some versions of Keras, which neither centres nor divides by the root of the mean square.
    if (args.rmsScaling) {
      throw new EvenkeelError('INVALID_ARGUMENT', 'rmsScaling is not supported, RMSNormalization may be what you want', {
        op: 'LayerNormalization',
        argument: 'rmsScaling',
      });
    }
    this.axis = args.axis ?? -1;
  }

  override build(inputShape: Shape | Shape[]): void {
    const shape = oneShape('LayerNormalization', inputShape);
    this.axes = positiveAxes('LayerNormalization', this.axis, shape.length);
    const lengths = knownLengths('LayerNormalization', shape, this.axes);
    this.inputSpec = [new InputSpec({ ndim: shape.length, axes: Object.fromEntries(this.axes.map((axis, i) => [axis, lengths[i]!])) })];
    this.addAffineWeights(lengths);
    super.build(inputShape);
  }

  override call(inputs: Tensor | Tensor[], kwargs: Kwargs): Tensor {
    return tidy(() => {
      this.invokeCallHook(inputs, kwargs);
      const { x, back } = axesLast(oneTensor('LayerNormalization', inputs), this.axes);
      return back(
        layerNorm(x, this.gamma, this.beta, {
          axes: trailingAxes(x, this.axes.length),
          epsilon: this.epsilon,
          activation: this.activation,
        }),
      );
    });
  }

  override getConfig(): serialization.ConfigDict {
    return { ...super.getConfig(), axis: this.axis };
  }
}
