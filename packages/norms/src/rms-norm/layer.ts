import { tidy, type serialization, type Tensor } from '@tensorflow/tfjs-core';
import { InputSpec } from '@tensorflow/tfjs-layers';
import { ActivatedLayer, type ActivatedArgs } from '../affine.ts';
import { axesLast, knownLengths, positiveAxes } from '../axes-last.ts';
import { oneShape, oneTensor, type Kwargs, type Shape } from '../keras.ts';
import { rmsNorm } from './op.ts';

export interface RMSNormalizationArgs extends Omit<ActivatedArgs, 'center' | 'betaInitializer' | 'betaRegularizer' | 'betaConstraint'> {
  /** The axis that shares a root mean square, negative counted from the end. Default -1. */
  axis?: number | [number];
  /** Default 1e-6, as in Keras. */
  epsilon?: number;
}

/**
 * Root-mean-square normalization as a layer: Keras' `RMSNormalization`, on {@link rmsNorm}. Its gamma is called `scale` in files of
 * weights, as in Keras.
 *
 * @throws EvenkeelError INVALID_ARGUMENT for epsilon <= 0, more than one axis, an axis that the input does not have or whose length is unknown
 *
 * @example
 * const model = tf.sequential();
 * model.add(tf.layers.dense({ units: 64, inputShape: [16] }));
 * model.add(new RMSNormalization()); // [null, 64]
 */
export class RMSNormalization extends ActivatedLayer {
  static readonly className = 'RMSNormalization';
  private readonly axis: number | [number];
  private axes: number[] = [];

  constructor(args: RMSNormalizationArgs = {}) {
    super({ ...args, center: false }, 1e-6);
    this.axis = args.axis ?? -1;
  }

  override build(inputShape: Shape | Shape[]): void {
    const shape = oneShape('RMSNormalization', inputShape);
    this.axes = positiveAxes('RMSNormalization', this.axis, shape.length, 1);
    const lengths = knownLengths('RMSNormalization', shape, this.axes);
    this.inputSpec = [new InputSpec({ ndim: shape.length, axes: { [this.axes[0]!]: lengths[0]! } })];
    this.addAffineWeights(lengths, 'scale');
    super.build(inputShape);
  }

  override call(inputs: Tensor | Tensor[], kwargs: Kwargs): Tensor {
    return tidy(() => {
      this.invokeCallHook(inputs, kwargs);
      const { x, back } = axesLast(oneTensor('RMSNormalization', inputs), this.axes);
      return back(rmsNorm(x, this.gamma, { epsilon: this.epsilon, activation: this.activation }));
    });
  }

  override getConfig(): serialization.ConfigDict {
    const { center: _, betaInitializer: __, betaRegularizer: ___, betaConstraint: ____, ...config } = super.getConfig();
    return { ...config, axis: this.axis };
  }
}
