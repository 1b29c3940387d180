import { tidy, type serialization, type Tensor } from '@tensorflow/tfjs-core';
import { InputSpec } from '@tensorflow/tfjs-layers';
import { ActivatedLayer, type ActivatedArgs } from '../affine.ts';
import { axesLast, knownLengths, positiveAxes } from '../axes-last.ts';
import { oneShape, oneTensor, type Kwargs, type Shape } from '../keras.ts';
import { instanceNorm } from './op.ts';

export interface InstanceNormalizationArgs extends ActivatedArgs {
  /** The channel axis, negative counted from the end. Default -1. */
  axis?: number | [number];
  /** Default 1e-3, as in the other layers; the function {@link instanceNorm} has 1e-5. */
  epsilon?: number;
  /** Train on inputs with a single position per channel, where every output is beta. Default false: an error. */
  allowDegenerate?: boolean;
}

/**
 * Instance normalization as a layer, on {@link instanceNorm}; TensorFlow Addons has it under this name.
 *
 * @throws EvenkeelError INVALID_ARGUMENT for epsilon <= 0, or an axis that the input does not have; SHAPE in training on a single position
 * per channel, unless `allowDegenerate`
 *
 * @example
 * const model = tf.sequential();
 * model.add(tf.layers.conv2d({ filters: 8, kernelSize: 3, inputShape: [28, 28, 1] }));
 * model.add(new InstanceNormalization()); // [null, 26, 26, 8]
 */
export class InstanceNormalization extends ActivatedLayer {
  static readonly className = 'InstanceNormalization';
  private readonly axis: number | [number];
  private readonly allowDegenerate: boolean;
  private axes: number[] = [];

  constructor(args: InstanceNormalizationArgs = {}) {
    super(args, 1e-3);
    this.axis = args.axis ?? -1;
    this.allowDegenerate = args.allowDegenerate ?? false;
  }

  override build(inputShape: Shape | Shape[]): void {
    const shape = oneShape('InstanceNormalization', inputShape);
    this.axes = positiveAxes('InstanceNormalization', this.axis, shape.length, 1);
    const channels = knownLengths('InstanceNormalization', shape, this.axes);
    this.inputSpec = [new InputSpec({ ndim: shape.length, axes: { [this.axes[0]!]: channels[0]! } })];
    this.addAffineWeights(channels);
    super.build(inputShape);
  }

  override call(inputs: Tensor | Tensor[], kwargs: Kwargs): Tensor {
    return tidy(() => {
      this.invokeCallHook(inputs, kwargs);
      const { x, back } = axesLast(oneTensor('InstanceNormalization', inputs), this.axes);
      // Outside of training a single position is no mistake to warn of: the network is as it was trained.
      const allowDegenerate = this.allowDegenerate || !kwargs?.['training'];
      return back(instanceNorm(x, this.gamma, this.beta, { epsilon: this.epsilon, activation: this.activation, allowDegenerate }));
    });
  }

  override getConfig(): serialization.ConfigDict {
    return { ...super.getConfig(), axis: this.axis, allowDegenerate: this.allowDegenerate };
  }
}
