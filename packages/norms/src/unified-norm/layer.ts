import { broadcastTo, reshape, scalar, tidy, type serialization, type Tensor } from '@tensorflow/tfjs-core';
import { initializers, InputSpec } from '@tensorflow/tfjs-layers';
import { AffineLayer, type AffineArgs } from '../affine.ts';
import { knownLengths } from '../axes-last.ts';
import { oneShape, oneTensor, type Kwargs, type LayerVariable, type Shape } from '../keras.ts';
import {
  checkUnifiedNorm,
  completeUnifiedNorm,
  unifiedNorm,
  unifiedNormInference,
  windowsOf,
  type UnifiedNormGradState,
  type UnifiedNormStatisticsOptions,
} from './unified-norm.ts';

export interface UnifiedNormalizationArgs extends AffineArgs, Omit<UnifiedNormStatisticsOptions, 'epsilon'> {
  /** How many steps are smoothed over; two sizes: forward and backward. Default 4. */
  window?: number | [number, number];
  /** Default 1e-5. */
  epsilon?: number;
}

/** State by the name of its weight. */
interface Weights {
  runningVar: LayerVariable;
  emaGz: LayerVariable;
  squares: LayerVariable;
  gradients: LayerVariable;
  skipped: LayerVariable;
  iterations: LayerVariable;
}

/**
 * Unified normalization as a layer, on {@link unifiedNorm} and {@link unifiedNormInference}: channels are last. A training step moves the
 * state, forward and backward; inference takes the running mean square (1 before the first step), and so does training where the layer is
 * frozen (`trainable = false`). The state is in weights that do not train, so that a model that is saved and loaded goes on where it was.
 * Tokens that the mask of the input leaves out do not count in the statistic.
 *
 * @throws EvenkeelError INVALID_ARGUMENT for options out of range; in training as {@link unifiedNorm}
 *
 * @example
 * const model = tf.sequential();
 * model.add(tf.layers.dense({ units: 8, inputShape: [16, 4] }));
 * model.add(new UnifiedNormalization({ window: 4, warmupSteps: 100 })); // [null, 16, 8]
 */
export class UnifiedNormalization extends AffineLayer {
  static readonly className = 'UnifiedNormalization';
  private readonly window: number | [number, number];
  private readonly options: Required<UnifiedNormStatisticsOptions>;
  private frozen = false;
  private state: Weights | undefined;

  constructor(args: UnifiedNormalizationArgs = {}) {
    super(args, 1e-5);
    this.window = args.window ?? 4;
    const [forward] = windowsOf('UnifiedNormalization', this.window);
    this.options = completeUnifiedNorm({ ...args, epsilon: this.epsilon });
    checkUnifiedNorm('UnifiedNormalization', this.options, forward);
  }

  /** Whether training leaves the state as it is, and only normalizes: for passes that are not steps, such as accumulating gradients. */
  freezeStatistics(frozen = true): void {
    this.frozen = frozen;
  }

  /** Begins the warm-up anew: before fine-tuning weights that were trained on other data. */
  resetWarmup(): void {
    tidy(() => {
      this.state?.iterations.write(scalar(0, 'int32'));
    });
  }

  /** In how many steps an outlier has been filtered. */
  async skipCount(): Promise<number> {
    return this.state ? (await this.state.skipped.read().data())[0]! : 0;
  }

  override build(inputShape: Shape | Shape[]): void {
    const shape = oneShape('UnifiedNormalization', inputShape);
    const axis = shape.length - 1;
    const channels = knownLengths('UnifiedNormalization', shape, [axis]);
    const [forward, backward] = windowsOf('UnifiedNormalization', this.window);
    this.inputSpec = [new InputSpec({ ndim: shape.length, axes: { [axis]: channels[0]! } })];
    this.addAffineWeights(channels);
    const zeros = initializers.zeros();
    this.state = {
      runningVar: this.addWeight('running_var', channels, 'float32', initializers.ones(), undefined, false),
      emaGz: this.addWeight('ema_gz', channels, 'float32', zeros, undefined, false),
      squares: this.addWeight('squares', [forward, ...channels], 'float32', zeros, undefined, false),
      gradients: this.addWeight('gradients', [backward, ...channels], 'float32', zeros, undefined, false),
      skipped: this.addWeight('skipped', [1], 'float32', zeros, undefined, false),
      iterations: this.addWeight('iterations', [], 'int32', zeros, undefined, false),
    };
    super.build(inputShape);
  }

  /** Takes weights of a layer with other windows, too: its windows are then filled with the running values. */
  override setWeights(weights: Tensor[]): void {
    tidy(() => {
      const own = this.getWeights();
      // The last six are the state: running_var, ema_gz, squares, gradients, skipped, iterations.
      const first = own.length - 6;
      const fitted = weights.map((weight, i) => {
        const running = { [first + 2]: weights[first], [first + 3]: weights[first + 1] }[i];
        const wanted = own[i]?.shape;
        if (running === undefined || wanted === undefined || weight.shape[0] === wanted[0]) return weight;
        return broadcastTo(reshape(running, [1, -1]), wanted);
      });
      super.setWeights(fitted);
    });
  }

  override call(inputs: Tensor | Tensor[], kwargs: Kwargs): Tensor {
    return tidy(() => {
      this.invokeCallHook(inputs, kwargs);
      const x = oneTensor('UnifiedNormalization', inputs);
      const { gamma, beta, options } = this;
      const state = this.state!;
      if (!kwargs?.['training'] || !this.trainable) return unifiedNormInference(x, state.runningVar.read(), gamma, beta, options);
      const { mask } = kwargs as { mask?: Tensor | Tensor[] | null };
      const before = {
        runningVar: state.runningVar.read(),
        emaGz: state.emaGz.read(),
        squares: state.squares.read(),
        gradients: state.gradients.read(),
        skipped: state.skipped.read(),
        // The count is only ever made of a number here, so that it can be read at once on all backends.
        iterations: state.iterations.read().dataSync()[0]!,
      };
      const onBackward = ({ emaGz, gradients }: UnifiedNormGradState): void => {
        if (!this.frozen) {
          state.emaGz.write(emaGz);
          state.gradients.write(gradients);
        }
        emaGz.dispose();
        gradients.dispose();
      };
      const kept = Array.isArray(mask) ? mask[0] : (mask ?? undefined);
      const next = unifiedNorm(x, gamma, beta, before, { ...options, mask: kept, onBackward });
      if (this.frozen) return next.y;
      state.runningVar.write(next.runningVar);
      state.squares.write(next.squares);
      state.skipped.write(next.skipped);
      state.iterations.write(scalar(next.iterations, 'int32'));
      return next.y;
    });
  }

  override getConfig(): serialization.ConfigDict {
    return { ...super.getConfig(), ...this.options, window: this.window };
  }
}
