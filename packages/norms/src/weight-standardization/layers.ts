import { layers } from '@tensorflow/tfjs-layers';
import { StandardizedLayer, type Kind, type StandardizationArgs } from './standardized-layer.ts';

type Args<F extends (args: never) => layers.Layer> = Parameters<F>[0];

export type WSConv1DArgs = Parameters<typeof layers.conv1d>[0] & StandardizationArgs;
export type WSConv2DArgs = Parameters<typeof layers.conv2d>[0] & StandardizationArgs;
export type WSConv3DArgs = Parameters<typeof layers.conv3d>[0] & StandardizationArgs;
export type WSDepthwiseConv2DArgs = Parameters<typeof layers.depthwiseConv2d>[0] & StandardizationArgs;
export type WSSeparableConv2DArgs = Parameters<typeof layers.separableConv2d>[0] & StandardizationArgs;
export type WSDenseArgs = Parameters<typeof layers.dense>[0] & StandardizationArgs;

const KERNEL = [{ field: 'kernel', depthwise: false }];

/** How each layer is made, by the class of tfjs-layers' own. */
export const KINDS = {
  Conv1D: { make: (args) => layers.conv1d(args as Args<typeof layers.conv1d>), kernels: KERNEL },
  Conv2D: { make: (args) => layers.conv2d(args as Args<typeof layers.conv2d>), kernels: KERNEL },
  Conv3D: { make: (args) => layers.conv3d(args as Args<typeof layers.conv3d>), kernels: KERNEL },
  DepthwiseConv2D: {
    make: (args) => layers.depthwiseConv2d(args as Args<typeof layers.depthwiseConv2d>),
    kernels: [{ field: 'depthwiseKernel', depthwise: true }],
  },
  SeparableConv2D: {
    make: (args) => layers.separableConv2d(args as Args<typeof layers.separableConv2d>),
    kernels: [
      { field: 'depthwiseKernel', depthwise: true },
      { field: 'pointwiseKernel', depthwise: false },
    ],
  },
  Dense: { make: (args) => layers.dense(args as Args<typeof layers.dense>), kernels: KERNEL },
} satisfies Record<string, Kind>;

/** A convolution over one axis with standardized weights: as {@link WSConv2D}. */
export class WSConv1D extends StandardizedLayer {
  static readonly className = 'WSConv1D';
  constructor(args: WSConv1DArgs) {
    super(args, KINDS.Conv1D);
  }
}

/**
 * `tf.layers.conv2d` whose kernel is standardized by `weightStandardize` in every call: its arguments, its weights under their names, and
 * `variant` and `epsilon`. Put a norm behind it, without an activation between. Regularizers and weight decay act on the weights as they are.
 * `bake()` gives the plain layer that computes the same.
 *
 * @throws EvenkeelError INVALID_ARGUMENT for an unknown variant or epsilon <= 0, SHAPE for filters of one weight; in training NON_FINITE for a
 * kernel that is not finite, which names the layer
 *
 * Source: Qiao, Wang, Liu, Shen, Yuille 2019, "Micro-Batch Training with Batch-Channel Normalization and Weight Standardization".
 *
 * @example
 * const model = tf.sequential();
 * model.add(new WSConv2D({ filters: 64, kernelSize: 3, useBias: false, inputShape: [28, 28, 1] }));
 * model.add(new GroupNormalization({ groups: 16 }));
 * model.add(tf.layers.reLU());
 */
export class WSConv2D extends StandardizedLayer {
  static readonly className = 'WSConv2D';
  constructor(args: WSConv2DArgs) {
    super(args, KINDS.Conv2D);
  }
}

/** A convolution over three axes with standardized weights: as {@link WSConv2D}. */
export class WSConv3D extends StandardizedLayer {
  static readonly className = 'WSConv3D';
  constructor(args: WSConv3DArgs) {
    super(args, KINDS.Conv3D);
  }
}

/** `tf.layers.depthwiseConv2d` with standardized weights, a filter for each channel and multiplier: as {@link WSConv2D}. */
export class WSDepthwiseConv2D extends StandardizedLayer {
  static readonly className = 'WSDepthwiseConv2D';
  constructor(args: WSDepthwiseConv2DArgs) {
    super(args, KINDS.DepthwiseConv2D);
  }
}

/** `tf.layers.separableConv2d`, both of whose kernels are standardized: as {@link WSConv2D}. */
export class WSSeparableConv2D extends StandardizedLayer {
  static readonly className = 'WSSeparableConv2D';
  constructor(args: WSSeparableConv2DArgs) {
    super(args, KINDS.SeparableConv2D);
  }
}

/** `tf.layers.dense` with standardized weights, a filter for each unit: as {@link WSConv2D}. Not for the last layer, behind which there is no norm. */
export class WSDense extends StandardizedLayer {
  static readonly className = 'WSDense';
  constructor(args: WSDenseArgs) {
    super(args, KINDS.Dense);
  }
}
