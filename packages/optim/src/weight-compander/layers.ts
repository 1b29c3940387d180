import { layers } from '@tensorflow/tfjs-layers';
import { CompandedLayer, type CompanderArgs, type Kind } from './companded-layer.ts';

type Args<F extends (args: never) => layers.Layer> = Parameters<F>[0];

export type CompandedConv1DArgs = Parameters<typeof layers.conv1d>[0] & CompanderArgs;
export type CompandedConv2DArgs = Parameters<typeof layers.conv2d>[0] & CompanderArgs;
export type CompandedConv3DArgs = Parameters<typeof layers.conv3d>[0] & CompanderArgs;
export type CompandedDepthwiseConv2DArgs = Parameters<typeof layers.depthwiseConv2d>[0] & CompanderArgs;
export type CompandedDenseArgs = Parameters<typeof layers.dense>[0] & CompanderArgs;
export type CompandedEmbeddingArgs = Parameters<typeof layers.embedding>[0] & CompanderArgs;

const KERNEL = { kernel: 'kernel', regularizer: 'kernelRegularizer', channels: -2 } as const;

/** How each layer is made, by the class of tfjs-layers' own. */
const KINDS = {
  Conv1D: { ...KERNEL, make: (args) => layers.conv1d(args as Args<typeof layers.conv1d>), positions: 1 },
  Conv2D: { ...KERNEL, make: (args) => layers.conv2d(args as Args<typeof layers.conv2d>), positions: 2 },
  Conv3D: { ...KERNEL, make: (args) => layers.conv3d(args as Args<typeof layers.conv3d>), positions: 3 },
  DepthwiseConv2D: {
    make: (args) => layers.depthwiseConv2d(args as Args<typeof layers.depthwiseConv2d>),
    kernel: 'depthwiseKernel',
    regularizer: 'depthwiseRegularizer',
    channels: -2,
    positions: 2,
  },
  Dense: { ...KERNEL, make: (args) => layers.dense(args as Args<typeof layers.dense>), positions: 0 },
  Embedding: {
    make: (args) => layers.embedding(args as Args<typeof layers.embedding>),
    kernel: 'embeddings',
    regularizer: 'embeddingsRegularizer',
    channels: -2,
    positions: 0,
  },
} satisfies Record<string, Kind>;

/** A convolution over one axis with a companded kernel: as {@link CompandedDense}. */
export class CompandedConv1D extends CompandedLayer {
  static readonly className = 'CompandedConv1D';
  constructor(args: CompandedConv1DArgs) {
    super(args, KINDS.Conv1D);
  }
}

/** A convolution over two axes with a companded kernel: as {@link CompandedDense}. */
export class CompandedConv2D extends CompandedLayer {
  static readonly className = 'CompandedConv2D';
  constructor(args: CompandedConv2DArgs) {
    super(args, KINDS.Conv2D);
  }
}

/** A convolution over three axes with a companded kernel: as {@link CompandedDense}. */
export class CompandedConv3D extends CompandedLayer {
  static readonly className = 'CompandedConv3D';
  constructor(args: CompandedConv3DArgs) {
    super(args, KINDS.Conv3D);
  }
}

/** `tf.layers.depthwiseConv2d` with a companded kernel, one a and one b for all channels: as {@link CompandedDense}. */
export class CompandedDepthwiseConv2D extends CompandedLayer {
  static readonly className = 'CompandedDepthwiseConv2D';
  constructor(args: CompandedDepthwiseConv2DArgs) {
    super(args, KINDS.DepthwiseConv2D);
  }
}

/**
 * `tf.layers.dense` whose kernel is made of free parameters by `applyCompander`: its arguments, and `kind`, `ka`, `kb`, `init`, `learnable`, `lrMult`,
 * `regularize`. The weight `kernel` holds v, `compander_a` and `compander_b` one number each; the bias stays as it is. Any optimizer trains it. Weight decay
 * acts on v: less on weights that are near the bound. `bake()` gives the plain layer that computes the same.
 *
 * The kernel begins as its initializer draws it, cut as `fitCompander` says. After each change of the weights, |v| is put back to at most 100 b (beyond, a weight would
 * never move again), and a and b, where they train, to at least a thousandth of the first deviation, a to at most 4 times its first value and 10 b.
 *
 * Weights that are standardized or normalized afterwards lose the meaning of the bound; so do those before a batch norm, which undoes their scale: there only the shape of
 * their distribution acts, and less is to be expected.
 *
 * @throws EvenkeelError INVALID_ARGUMENT for arguments that `fitCompander` refuses, lrMult <= 0; DTYPE for a kernel of other than float32. Calls: INVALID_ARGUMENT for
 * a or b that is not above 0, as of a kernel of zeros; NON_FINITE for NaN or infinities in v, a or b, which names layer and weight (on webgpu at the next
 * `await data()`)
 *
 * Source: Cakaj, Mehnert, Yang 2023, "Weight Compander: A Simple Weight Reparameterization for Regularization", arXiv 2306.16993.
 *
 * @example
 * model.add(new CompandedDense({ units: 64, activation: 'relu', inputShape: [196] }));
 */
export class CompandedDense extends CompandedLayer {
  static readonly className = 'CompandedDense';
  constructor(args: CompandedDenseArgs) {
    super(args, KINDS.Dense);
  }
}

/** `tf.layers.embedding` with companded vectors: as {@link CompandedDense}. All of the table is companded in each call. */
export class CompandedEmbedding extends CompandedLayer {
  static readonly className = 'CompandedEmbedding';
  constructor(args: CompandedEmbeddingArgs) {
    super(args, KINDS.Embedding);
  }
}
