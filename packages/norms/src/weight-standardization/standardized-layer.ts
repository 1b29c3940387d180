// What all layers with standardized weights share. Each holds tfjs-layers' own layer, whose kernels it reads standardized: strides, padding,
// activations and all else are that layer's. Of tfjs-layers this touches what its types hide, all of it here.
import { all, isFinite, keep, logicalNot, tidy, type serialization, type Tensor } from '@tensorflow/tfjs-core';
import { layers } from '@tensorflow/tfjs-layers';
import { EvenkeelError, expect, raiseIf, sizeOf } from '@evenkeel/core';
import { checkEpsilon } from '../checks.ts';
import { oneShape, serialize, type Constraint, type Kwargs, type LayerArgs, type LayerVariable, type Shape } from '../keras.ts';
import { shortName } from '../replace-norm/leaves.ts';
import { VARIANTS, variantNamed, type WeightStandardizationVariant } from './variants.ts';
import { weightStandardize } from './weight-standardize.ts';

export interface StandardizationArgs {
  /** What a filter is divided by: see {@link weightStandardize}. Default 'sqrt(var_unbiased+eps)'. */
  variant?: WeightStandardizationVariant;
  /** Default 1e-5. */
  epsilon?: number;
}

/** A kernel of tfjs-layers' layer: the name of its field, and whether its filters are its last two axes. */
export interface KernelField {
  readonly field: string;
  readonly depthwise: boolean;
}

/** How a layer is made of tfjs-layers' own. */
export interface Kind {
  make(args: object): layers.Layer;
  readonly kernels: readonly KernelField[];
}

type Fields = Record<string, LayerVariable>;

export abstract class StandardizedLayer extends layers.Layer {
  private readonly kind: Kind;
  private readonly inner: layers.Layer;
  private readonly variant: WeightStandardizationVariant;
  private readonly epsilon: number;
  private readonly kernels = new Map<LayerVariable, KernelField>();
  private builtShape: Shape | undefined;

  constructor(args: LayerArgs & StandardizationArgs, kind: Kind) {
    super(args);
    const { variant = 'sqrt(var_unbiased+eps)', epsilon = 1e-5, ...others } = args;
    const layer = this.getClassName();
    const named = variantNamed(String(variant));
    expect(named !== undefined, layer, 'variant', `one of ${VARIANTS.join(', ')}`, variant);
    checkEpsilon(layer, epsilon);
    this.variant = named;
    this.epsilon = epsilon;
    this.kind = kind;
    // The shape of the input is this layer's to know.
    const { inputShape: _, batchInputShape: __, batchSize: ___, ...plain } = others;
    this.inner = kind.make({ ...plain, name: this.name });
    this.supportsMasking = this.inner.supportsMasking;
    this.inputSpec = this.inner.inputSpec;
  }

  override build(inputShape: Shape | Shape[]): void {
    const shape = oneShape(this.getClassName(), inputShape);
    this.inner.build(shape);
    this.trainableWeights = this.inner.trainableWeights;
    this.builtShape = shape;
    const fields = this.inner as unknown as Fields;
    for (const kernel of this.kind.kernels) {
      const variable = fields[kernel.field]!;
      this.checkFilters(variable.shape as number[], kernel);
      this.kernels.set(variable, kernel);
      // What the layer reads in place of its weight.
      fields[kernel.field] = { read: () => this.standardized(variable) } as LayerVariable;
    }
    this.inputSpec = this.inner.inputSpec;
    super.build(shape);
  }

  private checkFilters(shape: readonly number[], { depthwise }: KernelField): void {
    if (sizeOf(shape.slice(0, depthwise ? -2 : -1)) > 1) return;
    const message = `layer ${this.name} has a kernel of shape [${shape.join(', ')}], expected more than one weight per filter (standardized, one weight is 0)`;
    throw new EvenkeelError('SHAPE', message, { op: this.getClassName(), argument: 'kernelSize' });
  }

  private standardized(variable: LayerVariable): Tensor {
    const { variant, epsilon } = this;
    return weightStandardize(variable.read(), { variant, epsilon, depthwise: this.kernels.get(variable)!.depthwise });
  }

  override call(inputs: Tensor | Tensor[], kwargs: Kwargs): Tensor | Tensor[] {
    return tidy(() => {
      this.invokeCallHook(inputs, kwargs);
      if (kwargs?.['training']) this.checkFinite();
      return this.inner.call(inputs, kwargs);
    });
  }

  /** Raises NON_FINITE for a kernel with NaN or infinity. */
  private checkFinite(): void {
    for (const variable of this.kernels.keys()) {
      const weight = shortName(variable);
      const message = `the weight ${weight} of layer ${this.name} has NaN or infinite values, expected finite ones`;
      const details = { op: this.getClassName(), argument: weight };
      // Kept: on webgpu it is read after this tidy has ended. raiseIf disposes it.
      raiseIf(keep(logicalNot(all(isFinite(variable.read())))), new EvenkeelError('NON_FINITE', message, details));
    }
  }

  override computeOutputShape(inputShape: Shape | Shape[]): Shape | Shape[] {
    return this.inner.computeOutputShape(inputShape);
  }

  /** Those of regularizers. */
  override calculateLosses(): ReturnType<layers.Layer['calculateLosses']> {
    return this.inner.calculateLosses();
  }

  /** The configuration of tfjs-layers' own layer, with this one's name. */
  plainConfig(): serialization.ConfigDict {
    const { depthwiseConstraint } = this.inner as layers.Layer & { depthwiseConstraint?: Constraint | null };
    return {
      ...this.inner.getConfig(),
      // tfjs-layers gives the regularizer here.
      ...(depthwiseConstraint !== undefined && { depthwiseConstraint: serialize(depthwiseConstraint) }),
      ...super.getConfig(),
    };
  }

  override getConfig(): serialization.ConfigDict {
    return { ...this.plainConfig(), variant: this.variant, epsilon: this.epsilon };
  }

  /** A layer of tfjs-layers with this one's name and configuration, not built. */
  plain(): layers.Layer {
    return this.kind.make(this.plainConfig());
  }

  /** New tensors of the weights that {@link plain} is to have: kernels standardized, all else as it is. Call it in a tidy. */
  bakedWeights(): Tensor[] {
    return this.weights.map((variable) => (this.kernels.has(variable) ? this.standardized(variable) : variable.read()));
  }

  /**
   * A layer of tfjs-layers that computes the same: its kernel is the standardized one. For inference, where standardizing costs nothing
   * then.
   *
   * @throws EvenkeelError INVALID_ARGUMENT for a layer that has not been built; NON_FINITE for a kernel that is not finite, at once on cpu and
   * wasm, at the next `await data()` on webgpu
   */
  bake(): layers.Layer {
    expect(this.builtShape !== undefined, 'bake', 'layer', `a layer that has been built, which ${this.name} has not`, this.name);
    const layer = this.plain();
    tidy(() => {
      this.checkFinite();
      layer.build(this.builtShape!);
      layer.built = true;
      layer.setWeights(this.bakedWeights());
    });
    return layer;
  }
}
