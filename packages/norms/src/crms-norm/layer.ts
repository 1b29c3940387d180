import { tidy, type serialization, type Tensor } from '@tensorflow/tfjs-core';
import { InputSpec, layers } from '@tensorflow/tfjs-layers';
import { axesLast, knownLengths, positiveAxes } from '../axes-last.ts';
import { checkEpsilon } from '../checks.ts';
import { oneShape, oneTensor, type Kwargs, type LayerArgs, type Shape } from '../keras.ts';
import { crmsNorm } from './op.ts';

export interface CRMSNormalizationArgs extends LayerArgs {
  /** The axis that holds vectors without their last number, negative counted from the end. Default -1. */
  axis?: number | [number];
  /** Added to the mean square, inside the root. Default 1e-5. */
  epsilon?: number;
  /** How many of the last columns are padding. Default 0. */
  padding?: number;
}

/**
 * Compressed root-mean-square normalization as a layer, on {@link crmsNorm}. It has no weights: those of the layer normalization that it
 * stands for are in the layers that read its output.
 *
 * @throws EvenkeelError INVALID_ARGUMENT for epsilon <= 0, more than one axis, an axis that the input does not have or whose length is
 * unknown, or a `padding` that leaves no column
 *
 * @example
 * const model = tf.sequential();
 * model.add(tf.layers.dense({ units: 63, inputShape: [16] })); // 64 numbers of mean 0 without the last one
 * model.add(new CRMSNormalization()); // [null, 63]
 */
export class CRMSNormalization extends layers.Layer {
  static readonly className = 'CRMSNormalization';
  private readonly axis: number | [number];
  private readonly epsilon: number;
  private readonly padding: number;
  private axes: number[] = [];

  constructor(args: CRMSNormalizationArgs = {}) {
    super(args);
    const { axis = -1, epsilon = 1e-5, padding = 0 } = args;
    checkEpsilon('CRMSNormalization', epsilon);
    this.axis = axis;
    this.epsilon = epsilon;
    this.padding = padding;
    // Normalization treats padded positions like others: their mask goes on to the next layer.
    this.supportsMasking = true;
  }

  override build(inputShape: Shape | Shape[]): void {
    const shape = oneShape('CRMSNormalization', inputShape);
    this.axes = positiveAxes('CRMSNormalization', this.axis, shape.length, 1);
    const lengths = knownLengths('CRMSNormalization', shape, this.axes);
    this.inputSpec = [new InputSpec({ ndim: shape.length, axes: { [this.axes[0]!]: lengths[0]! } })];
    super.build(inputShape);
  }

  override call(inputs: Tensor | Tensor[], kwargs: Kwargs): Tensor {
    return tidy(() => {
      this.invokeCallHook(inputs, kwargs);
      const { x, back } = axesLast(oneTensor('CRMSNormalization', inputs), this.axes);
      return back(crmsNorm(x, { epsilon: this.epsilon, padding: this.padding }));
    });
  }

  override getConfig(): serialization.ConfigDict {
    return { ...super.getConfig(), axis: this.axis, epsilon: this.epsilon, padding: this.padding };
  }
}
