import { add, reshape, tidy, type serialization, type Tensor } from '@tensorflow/tfjs-core';
import { layers } from '@tensorflow/tfjs-layers';
import { EvenkeelError, expect } from '@evenkeel/core';
import { knownLengths } from '../axes-last.ts';
import { checkEpsilon } from '../checks.ts';
import { resolve, type Initializer, type Kwargs, type LayerArgs, type LayerVariable, type Shape } from '../keras.ts';
import {
  conditionalLayerNorm,
  conditionalRmsNorm,
  timeDependentParameter,
  type ConditionalNormOptions,
  type TimeDependentWeights,
} from './time-dependent-norm.ts';

export interface TimeDependentNormalizationArgs extends LayerArgs {
  epsilon?: number;
  /** Whether there is a beta that depends on time. */
  center?: boolean;
  /** Whether there is a gamma that depends on time. Default true. */
  scale?: boolean;
}

/** p0, p1, w - 1 and b of a parameter. */
type Variables = readonly [p0: LayerVariable, p1: LayerVariable, w: LayerVariable, b: LayerVariable];

/**
 * What both time-dependent norms share. Their inputs are [x, tau], x [batch, ..., n] and tau [batch] or [batch, 1].
 *
 * A parameter has the weights `p0` and `p1`, which begin alike, and `nodecay_weight` and `nodecay_bias`, which begin with 0: w is 1 more
 * than the first. As their names say, no weight decay should pull at these.
 */
abstract class TimeDependentNormalization extends layers.Layer {
  protected readonly epsilon: number;
  private readonly center: boolean;
  private readonly scale: boolean;
  private gamma: Variables | undefined;
  private beta: Variables | undefined;

  constructor({ epsilon, center, scale = true, ...args }: TimeDependentNormalizationArgs, defaults: { epsilon: number; center: boolean }) {
    super(args);
    const name = this.getClassName();
    this.epsilon = epsilon ?? defaults.epsilon;
    checkEpsilon(name, this.epsilon);
    this.center = center ?? defaults.center;
    this.scale = scale;
    expect(typeof this.center === 'boolean', name, 'center', 'a boolean', this.center);
    expect(typeof this.scale === 'boolean', name, 'scale', 'a boolean', this.scale);
    // Normalization treats padded positions like others: their mask goes on to the next layer.
    this.supportsMasking = true;
  }

  protected abstract normalize(x: Tensor, gamma: Tensor | undefined, beta: Tensor | undefined, options: ConditionalNormOptions): Tensor;

  private two<T>(inputs: T | T[], isOne: (value: T | T[]) => boolean): [T, T] {
    if (Array.isArray(inputs) && !isOne(inputs) && inputs.length === 2) return inputs as [T, T];
    const count = Array.isArray(inputs) && !isOne(inputs) ? inputs.length : 1;
    const details = { op: this.getClassName(), argument: 'inputs' };
    throw new EvenkeelError('INVALID_ARGUMENT', `it has ${count} input${count === 1 ? '' : 's'}, expected [x, tau]`, details);
  }

  private shapes(inputShape: Shape | Shape[]): [Shape, Shape] {
    return this.two<Shape>(inputShape as Shape[], (shape) => !(shape as unknown[]).some((axis) => Array.isArray(axis)));
  }

  override build(inputShape: Shape | Shape[]): void {
    const name = this.getClassName();
    const [x, tau] = this.shapes(inputShape);
    if (!(tau.length === 1 || (tau.length === 2 && tau[1] === 1))) {
      throw new EvenkeelError('SHAPE', `tau has shape [${tau.join(', ')}], expected [batch] or [batch, 1]`, { op: name, argument: 'tau' });
    }
    const lengths = knownLengths(name, x, [x.length - 1]);
    const variables = (prefix: string, initial: string): Variables => {
      const weight = (suffix: string, initializer: string): LayerVariable =>
        this.addWeight(`${prefix}_${suffix}`, lengths, 'float32', resolve<Initializer>('initializer', initializer)!);
      return [weight('p0', initial), weight('p1', initial), weight('nodecay_weight', 'zeros'), weight('nodecay_bias', 'zeros')];
    };
    if (this.scale) this.gamma = variables('gamma', 'ones');
    if (this.center) this.beta = variables('beta', 'zeros');
    super.build(inputShape);
  }

  /**
   * gamma and beta of these times, [n] for a scalar and [times, n] for more, where the layer has them. With those of a time that is known
   * beforehand, an ordinary norm computes what this layer does: a sampler needs them once for each of its steps.
   */
  parametersAt(tau: Tensor): { gamma?: Tensor; beta?: Tensor } {
    const at = (variables: Variables): Tensor => {
      const [p0, p1, w, b] = variables.map((variable) => variable.read()) as [Tensor, Tensor, Tensor, Tensor];
      const weights: TimeDependentWeights = { p0, p1, w: add(w, 1), b };
      return timeDependentParameter(weights, tau);
    };
    return tidy(() => ({ ...(this.gamma && { gamma: at(this.gamma) }), ...(this.beta && { beta: at(this.beta) }) }));
  }

  override call(inputs: Tensor | Tensor[], kwargs: Kwargs): Tensor {
    return tidy(() => {
      this.invokeCallHook(inputs, kwargs);
      const [x, tau] = this.two<Tensor>(inputs, (value) => !Array.isArray(value));
      const { gamma, beta } = this.parametersAt(reshape(tau, [tau.size]));
      return this.normalize(x, gamma, beta, { epsilon: this.epsilon });
    });
  }

  override computeOutputShape(inputShape: Shape | Shape[]): Shape {
    return this.shapes(inputShape)[0];
  }

  override computeMask(_inputs: Tensor | Tensor[], mask?: Tensor | Tensor[]): Tensor {
    return (Array.isArray(mask) ? mask[0] : mask) as Tensor;
  }

  override getConfig(): serialization.ConfigDict {
    return { ...super.getConfig(), epsilon: this.epsilon, center: this.center, scale: this.scale };
  }
}

/**
 * Time-dependent layer normalization (TD-LN) as a layer, as `timeDependentLayerNorm`: gamma and beta are two vectors each, which time
 * blends. Epsilon stands inside the root, by default 1e-5; `center` is true by default.
 *
 * @throws EvenkeelError INVALID_ARGUMENT for epsilon <= 0 or other inputs than [x, tau], SHAPE for a tau that is not [batch] or [batch, 1],
 * NON_FINITE for a tau that is NaN or infinite
 *
 * @example
 * const x = tf.input({ shape: [16, 64] });
 * const tau = tf.input({ shape: [1] }); // 2 t / T - 1 for step t of T
 * const y = new TimeDependentLayerNormalization().apply([x, tau]); // [null, 16, 64]
 */
export class TimeDependentLayerNormalization extends TimeDependentNormalization {
  static readonly className = 'TimeDependentLayerNormalization';

  constructor(args: TimeDependentNormalizationArgs = {}) {
    super(args, { epsilon: 1e-5, center: true });
  }

  protected override normalize(x: Tensor, gamma: Tensor | undefined, beta: Tensor | undefined, options: ConditionalNormOptions): Tensor {
    return conditionalLayerNorm(x, gamma, beta, options);
  }
}

/**
 * Time-dependent root-mean-square normalization as a layer, as `timeDependentRmsNorm`. Epsilon stands outside the root, by default
 * 1e-8; `center` is false by default.
 *
 * @throws as {@link TimeDependentLayerNormalization}
 *
 * @example
 * const y = new TimeDependentRMSNormalization().apply([x, tau]);
 */
export class TimeDependentRMSNormalization extends TimeDependentNormalization {
  static readonly className = 'TimeDependentRMSNormalization';

  constructor(args: TimeDependentNormalizationArgs = {}) {
    super(args, { epsilon: 1e-8, center: false });
  }

  protected override normalize(x: Tensor, gamma: Tensor | undefined, beta: Tensor | undefined, options: ConditionalNormOptions): Tensor {
    return conditionalRmsNorm(x, gamma, beta, options);
  }
}
