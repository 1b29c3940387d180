// What all companded layers share. Each holds tfjs-layers' own layer, whose kernel it makes of free parameters: strides, padding, activations and all
// else are that layer's. Of tfjs-layers this touches what its types hide, all of it here.
import {
  all,
  customGrad,
  div,
  greater,
  isFinite,
  keep,
  logicalNot,
  maximum,
  minimum,
  mul,
  neg,
  tidy,
  type serialization,
  type Tensor,
  type Variable,
} from '@tensorflow/tfjs-core';
import { initializers, layers, type LayerVariable, type Shape } from '@tensorflow/tfjs-layers';
import { EvenkeelError, expect, raiseIf } from '@evenkeel/core';
import { checkFit, fitted, STEEPEST, type Fit, type FitCompanderOptions } from './fit-compander.ts';
import { Compander } from './op.ts';

export interface CompanderArgs extends FitCompanderOptions {
  /** Whether a and b train, too. Default false. */
  learnable?: boolean;
  /**
   * What gradients of a and b are multiplied by, where they train. Default 0.1: at the full rate a grows until nothing is bounded. It slows steps that are
   * proportional to the gradient, as of gradient descent; an optimizer that divides by the gradient's size, such as Adam, undoes it.
   */
  lrMult?: number;
  /** What the kernel's regularizer acts on: the free parameters 'v' (default), as weight decay does, or the weights 'w'. Where a trains, on a as well. */
  regularize?: 'v' | 'w';
}

/** How a layer is made of tfjs-layers' own. */
export interface Kind {
  make(args: object): layers.Layer;
  /** The field of its kernel. */
  readonly kernel: string;
  /** The field of the kernel's regularizer. */
  readonly regularizer: string;
  /** Which axis of the kernel the channels of the input are, counted from the end. */
  readonly channels: number;
  /** Axes of the input between the batch and the channels. */
  readonly positions: number;
}

type Fields = Record<string, unknown>;
type LayerArgs = NonNullable<ConstructorParameters<typeof layers.Layer>[0]>;
type Kwargs = Parameters<layers.Layer['call']>[1];
type Regularizer = { apply(x: Tensor): Tensor };
type Loss = Parameters<layers.Layer['addLoss']>[0];

/** a and b stay above this share of the kernel's first deviation, a below so many times its first value. */
const LEAST = 1e-3;
const GROWTH = 4;
/** |v| stays below so many times b: farther out a weight would never move again. */
const FARTHEST = 100;

/** x, whose gradient is multiplied by `factor`. */
function slowed(x: Tensor, factor: number): Tensor {
  return customGrad((y) => ({ value: mul(y as Tensor, 1), gradFunc: (dy: Tensor) => mul(dy, factor) }))(x);
}

/** The configuration of a layer of tfjs-layers, with what it gets wrong for depthwise kernels. */
export function configOf(layer: layers.Layer): serialization.ConfigDict {
  const { depthwiseConstraint: constraint } = layer as { depthwiseConstraint?: serialization.Serializable | null };
  const config = layer.getConfig();
  if (constraint === undefined) return config;
  // tfjs-layers gives the regularizer there.
  return { ...config, depthwiseConstraint: constraint && { className: constraint.getClassName(), config: constraint.getConfig() } };
}

const assign = (to: LayerVariable, value: Tensor): void => (to.read() as Variable).assign(value);

export abstract class CompandedLayer extends layers.Layer {
  private readonly kind: Kind;
  private readonly inner: layers.Layer;
  private readonly fit: Fit;
  private readonly learnable: boolean;
  private readonly lrMult: number;
  private readonly regularize: 'v' | 'w';
  private v: LayerVariable | undefined;
  private a!: LayerVariable;
  private b!: LayerVariable;
  /** Of the kernel as it began: where a and b train, what they are limited by. */
  private deviation: LayerVariable | undefined;
  /** Weights as they were when they were last settled. */
  private settled: readonly object[] = [];
  /** Whether an optimizer may have changed the weights since. */
  private stepped = false;

  constructor(args: LayerArgs & CompanderArgs, kind: Kind) {
    super(args);
    const { kind: _kind, ka: _ka, kb: _kb, init: _init, learnable = false, lrMult = 0.1, regularize = 'v', ...others } = args;
    const layer = this.getClassName();
    this.fit = checkFit(layer, args);
    expect(typeof learnable === 'boolean', layer, 'learnable', 'true or false', learnable);
    expect(Number.isFinite(lrMult) && lrMult > 0, layer, 'lrMult', 'a finite number > 0', lrMult);
    expect(['v', 'w'].includes(regularize), layer, 'regularize', 'one of v, w', regularize);
    const { dtype = 'float32' } = args;
    if (dtype !== 'float32') {
      const message = `dtype of layer ${this.name} is ${dtype}, expected float32`;
      throw new EvenkeelError('DTYPE', message, { op: layer, argument: 'dtype' });
    }
    this.learnable = learnable;
    this.lrMult = lrMult;
    this.regularize = regularize;
    this.kind = kind;
    // The shape of the input is this layer's to know.
    const { inputShape: _, batchInputShape: __, batchSize: ___, ...plain } = others;
    this.inner = kind.make({ ...plain, name: this.name });
    // An embedding says itself what it takes.
    this.batchInputShape ??= this.inner.batchInputShape;
    this.supportsMasking = this.inner.supportsMasking;
    this.inputSpec = this.inner.inputSpec;
  }

  override build(inputShape: Shape | Shape[]): void {
    const shape = (Array.isArray(inputShape[0]) ? inputShape[0] : inputShape) as Shape;
    const fields = this.inner as unknown as Fields;
    const regularizer = fields[this.kind.regularizer] as Regularizer | null | undefined;
    if (this.regularize === 'w') fields[this.kind.regularizer] = null;
    this.inner.build(shape);
    fields[this.kind.regularizer] = regularizer;
    const v = fields[this.kind.kernel] as LayerVariable;
    this.v = v;
    const weight = (name: string, trainable: boolean): LayerVariable =>
      this.addWeight(name, [1], 'float32', initializers.ones(), undefined, trainable);
    this.a = weight('compander_a', this.learnable);
    this.b = weight('compander_b', this.learnable);
    if (this.learnable) this.deviation = weight('compander_deviation', false);
    const own = [this.a, this.b];
    this.trainableWeights = [...this.inner.trainableWeights, ...(this.learnable ? own : [])];
    this.nonTrainableWeights = this.deviation ? [this.deviation] : own;
    // What the layer reads in place of its weight.
    fields[this.kind.kernel] = { read: () => this.companded() };
    if (regularizer && this.regularize === 'w') this.inner.addLoss((() => regularizer.apply(this.companded())) as Loss);
    if (regularizer && this.learnable) this.inner.addLoss((() => regularizer.apply(this.a.read())) as Loss);
    this.begin();
    this.inputSpec = this.inner.inputSpec;
    super.build(shape);
  }

  /** Takes what stands in the place of v for a kernel, and makes v, a and b of it. */
  private begin(): void {
    tidy(() => {
      const { v, a, b } = fitted(this.v!.read(), this.fit);
      assign(this.v!, v);
      assign(this.a, a);
      assign(this.b, b);
      if (this.deviation) assign(this.deviation, div(a, this.fit.ka));
    });
    this.stepped = false;
  }

  private companded(): Tensor {
    const { kind } = this.fit;
    const v = this.v!.read();
    const [a, b] = [this.a.read(), this.b.read()];
    if (!this.learnable) return Compander({ v, a, b }, { kind, learnable: false });
    return Compander({ v, a: slowed(a, this.lrMult), b: slowed(b, this.lrMult) }, { kind });
  }

  private refuse(flag: Tensor, code: 'NON_FINITE' | 'INVALID_ARGUMENT', weight: LayerVariable, problem: string): void {
    const name = weight.originalName.slice(weight.originalName.lastIndexOf('/') + 1);
    const message = `the weight ${name} of layer ${this.name} ${problem}`;
    // Kept: on webgpu it is read after this tidy has ended. raiseIf disposes it.
    raiseIf(keep(flag), new EvenkeelError(code, message, { op: this.getClassName(), argument: name }));
  }

  /**
   * Once after each change of the weights: refuses what is not finite and an a or b that is not above 0, and puts what an optimizer has moved too far back
   * to its limits. tfjs-layers applies no constraints in training.
   */
  private settle(training: boolean): void {
    const weights = [this.v!, this.a, this.b];
    const found = (): object[] => weights.map((weight) => (weight.read() as Tensor).dataId);
    if (!training && !this.stepped && found().every((id, i) => id === this.settled[i])) return;
    tidy(() => {
      const moved = this.learnable && this.stepped;
      for (const weight of [this.a, this.b]) {
        const x = weight.read();
        // NaN is not above 0, either.
        if (!moved)
          this.refuse(
            logicalNot(all(greater(x, 0))),
            'INVALID_ARGUMENT',
            weight,
            'is not above 0, expected it to be: a kernel of zeros has no deviation',
          );
        this.refuse(logicalNot(all(isFinite(x))), 'NON_FINITE', weight, 'is not finite, expected a number > 0');
      }
      this.refuse(logicalNot(all(isFinite(this.v!.read()))), 'NON_FINITE', this.v!, 'has NaN or infinite values, expected finite ones');
      if (this.deviation) {
        const deviation = this.deviation.read();
        const least = mul(deviation, LEAST);
        const a = minimum(maximum(this.a.read(), least), mul(deviation, GROWTH * this.fit.ka));
        assign(this.a, a);
        assign(this.b, maximum(maximum(this.b.read(), least), div(a, STEEPEST)));
      }
      const most = mul(this.b.read(), FARTHEST);
      assign(this.v!, minimum(maximum(this.v!.read(), neg(most)), most));
    });
    this.settled = found();
    this.stepped = training;
  }

  override call(inputs: Tensor | Tensor[], kwargs: Kwargs): Tensor | Tensor[] {
    return tidy(() => {
      this.invokeCallHook(inputs, kwargs);
      this.settle(kwargs?.['training'] === true);
      return this.inner.call(inputs, kwargs);
    });
  }

  override computeMask(inputs: Tensor | Tensor[], mask?: Tensor | Tensor[]): Tensor | Tensor[] {
    return this.inner.computeMask(inputs, mask);
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
    return { ...configOf(this.inner), ...super.getConfig() };
  }

  override getConfig(): serialization.ConfigDict {
    const { fit, learnable, lrMult, regularize } = this;
    return { ...this.plainConfig(), ...fit, learnable, lrMult, regularize };
  }

  /** A layer of tfjs-layers with this one's name and configuration, not built. */
  plain(): layers.Layer {
    return this.kind.make(this.plainConfig());
  }

  /** Begins with the weights of a built layer of tfjs-layers, of the same configuration. Builds itself where it is not. */
  beginWith(layer: layers.Layer): void {
    if (!this.built) {
      this.build(this.inputShapeOf((layer as unknown as Fields)[this.kind.kernel] as LayerVariable));
      this.built = true;
    }
    const taken = new Map(layer.weights.map((weight) => [shortName(weight), weight]));
    for (const weight of this.inner.weights) assign(weight, taken.get(shortName(weight))!.read());
    this.begin();
    this.settle(false);
  }

  /** What a layer with this kernel takes. */
  private inputShapeOf({ shape }: LayerVariable): Shape {
    const channels = (shape as number[]).at(this.kind.channels)!;
    const positions = Array.from({ length: this.kind.positions }, () => null);
    const first = (this.inner as unknown as Fields)['dataFormat'] === 'channelsFirst';
    return first ? [null, channels, ...positions] : [null, ...positions, channels];
  }

  /** Gives a built layer of tfjs-layers the weights with which it computes the same as this one. */
  bakeInto(layer: layers.Layer): void {
    tidy(() => {
      this.settle(false);
      const given = new Map(this.inner.weights.map((weight) => [shortName(weight), weight === this.v ? this.companded() : weight.read()]));
      for (const weight of layer.weights) assign(weight, given.get(shortName(weight))!);
    });
  }

  /**
   * A layer of tfjs-layers that computes the same: its kernel is the companded one. For inference, where the compander costs nothing then.
   *
   * @throws EvenkeelError INVALID_ARGUMENT for a layer that has not been built; as a call where weights are not finite
   */
  bake(): layers.Layer {
    expect(this.built && this.v !== undefined, 'bake', 'layer', `a layer that has been built, which ${this.name} has not`, this.name);
    const layer = this.plain();
    layer.build(this.inputShapeOf(this.v));
    layer.built = true;
    this.bakeInto(layer);
    return layer;
  }

  /** The free parameters, a and b, and the weights that they make: new tensors but v, a and b. Call it in a tidy. */
  parts(): { v: Tensor; a: Tensor; b: Tensor; w: Tensor } {
    this.settle(false);
    return { v: this.v!.read(), a: this.a.read(), b: this.b.read(), w: this.companded() };
  }

  get companderKind(): Fit['kind'] {
    return this.fit.kind;
  }
}

/** The name of a weight within its layer: 'kernel', 'bias'. */
const shortName = ({ originalName }: LayerVariable): string => originalName.slice(originalName.lastIndexOf('/') + 1);
