import { tidy, type serialization, type Tensor } from '@tensorflow/tfjs-core';
import { InputSpec } from '@tensorflow/tfjs-layers';
import { AffineLayer, type AffineArgs } from '../affine.ts';
import { axesLast, knownLengths, positiveAxes } from '../axes-last.ts';
import { trailingAxes } from '../axes.ts';
import { oneShape, oneTensor, type Kwargs, type Shape } from '../keras.ts';
import { checkL1, type L1NormOptions } from '../l1.ts';
import { l1LayerNorm } from './op.ts';

export interface L1LayerNormalizationArgs extends AffineArgs, L1NormOptions {
  /** The axis or axes that share a mean and a deviation; negative ones count from the end. Default -1. */
  axis?: number | number[];
  /** Added to the mean absolute deviation. Default 1e-5. */
  epsilon?: number;
}

/**
 * Layer normalization by the mean absolute deviation as a layer, on {@link l1LayerNorm}, with the arguments of `LayerNormalization`.
 *
 * @throws EvenkeelError INVALID_ARGUMENT for epsilon <= 0, gradFloor < 0, an axis that the input does not have or whose length is unknown
 *
 * @example
 * const model = tf.sequential();
 * model.add(tf.layers.dense({ units: 64, inputShape: [16] }));
 * model.add(new L1LayerNormalization()); // [null, 64]
 */
export class L1LayerNormalization extends AffineLayer {
  static readonly className = 'L1LayerNormalization';
  private readonly axis: number | number[];
  private readonly gaussianScale: boolean;
  private readonly gradFloor: number;
  private axes: number[] = [];

  constructor(args: L1LayerNormalizationArgs = {}) {
    super(args, 1e-5);
    const { axis = -1, gaussianScale = false, gradFloor = 0 } = args;
    checkL1('L1LayerNormalization', { epsilon: this.epsilon, gradFloor });
    this.axis = axis;
    this.gaussianScale = gaussianScale;
    this.gradFloor = gradFloor;
  }

  override build(inputShape: Shape | Shape[]): void {
    const shape = oneShape('L1LayerNormalization', inputShape);
    this.axes = positiveAxes('L1LayerNormalization', this.axis, shape.length);
    const lengths = knownLengths('L1LayerNormalization', shape, this.axes);
    this.inputSpec = [new InputSpec({ ndim: shape.length, axes: Object.fromEntries(this.axes.map((axis, i) => [axis, lengths[i]!])) })];
    this.addAffineWeights(lengths);
    super.build(inputShape);
  }

  override call(inputs: Tensor | Tensor[], kwargs: Kwargs): Tensor {
    return tidy(() => {
      this.invokeCallHook(inputs, kwargs);
      const { x, back } = axesLast(oneTensor('L1LayerNormalization', inputs), this.axes);
      const { epsilon, gaussianScale, gradFloor } = this;
      return back(l1LayerNorm(x, this.gamma, this.beta, { axes: trailingAxes(x, this.axes.length), epsilon, gaussianScale, gradFloor }));
    });
  }

  override getConfig(): serialization.ConfigDict {
    return { ...super.getConfig(), axis: this.axis, gaussianScale: this.gaussianScale, gradFloor: this.gradFloor };
  }
}
