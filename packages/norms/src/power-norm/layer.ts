import { scalar, tidy, type serialization, type Tensor } from '@tensorflow/tfjs-core';
import { initializers, InputSpec } from '@tensorflow/tfjs-layers';
import { AffineLayer, type AffineArgs } from '../affine.ts';
import { knownLengths } from '../axes-last.ts';
import { oneShape, oneTensor, type Kwargs, type LayerVariable, type Shape } from '../keras.ts';
import { checkGroups } from './op.ts';
import { checkPowerNorm, completePowerNorm, powerNorm, powerNormInference, type PowerNormStatisticsOptions } from './power-norm.ts';

export interface PowerNormalizationArgs extends AffineArgs, Omit<PowerNormStatisticsOptions, 'epsilon'> {
  /** Default 1e-5. */
  epsilon?: number;
}

/**
 * PowerNorm as a layer, on {@link powerNorm} and {@link powerNormInference}: channels are last. A training step moves the state, the forward
 * pass the running mean square and the count of steps, the backward pass `ema_gz`; inference takes the running mean square, and so does
 * training where the layer is frozen (`trainable = false`). All three are weights that do not train, so that a model that is saved and
 * loaded goes on where it was. Tokens that the mask of the input leaves out do not count in the statistic.
 *
 * @throws EvenkeelError INVALID_ARGUMENT for options out of range or groups that do not divide the channels; in training as {@link powerNorm}
 *
 * @example
 * const model = tf.sequential();
 * model.add(tf.layers.dense({ units: 8, inputShape: [16, 4] }));
 * model.add(new PowerNormalization({ groups: 2, warmupSteps: 100 })); // [null, 16, 8]
 */
export class PowerNormalization extends AffineLayer {
  static readonly className = 'PowerNormalization';
  private readonly options: Required<PowerNormStatisticsOptions>;
  private frozen = false;
  private runningPhi: LayerVariable | undefined;
  private emaGz: LayerVariable | undefined;
  private iterations: LayerVariable | undefined;

  constructor(args: PowerNormalizationArgs = {}) {
    super(args, 1e-5);
    this.options = completePowerNorm({ ...args, epsilon: this.epsilon });
    checkPowerNorm('PowerNormalization', this.options);
  }

  /** Whether training leaves the state as it is, and only normalizes: for passes that are not steps, such as accumulating gradients. */
  freezeStatistics(frozen = true): void {
    this.frozen = frozen;
  }

  override build(inputShape: Shape | Shape[]): void {
    const shape = oneShape('PowerNormalization', inputShape);
    const axis = shape.length - 1;
    const channels = knownLengths('PowerNormalization', shape, [axis]);
    checkGroups('PowerNormalization', channels[0]!, this.options.groups);
    this.inputSpec = [new InputSpec({ ndim: shape.length, axes: { [axis]: channels[0]! } })];
    this.addAffineWeights(channels);
    this.runningPhi = this.addWeight('running_phi', channels, 'float32', initializers.ones(), undefined, false);
    this.emaGz = this.addWeight('ema_gz', channels, 'float32', initializers.zeros(), undefined, false);
    this.iterations = this.addWeight('iterations', [], 'int32', initializers.zeros(), undefined, false);
    super.build(inputShape);
  }

  override call(inputs: Tensor | Tensor[], kwargs: Kwargs): Tensor {
    return tidy(() => {
      this.invokeCallHook(inputs, kwargs);
      const x = oneTensor('PowerNormalization', inputs);
      const { gamma, beta, options } = this;
      const [runningPhi, emaGz, iterations] = [this.runningPhi!, this.emaGz!, this.iterations!];
      if (!kwargs?.['training'] || !this.trainable) return powerNormInference(x, runningPhi.read(), gamma, beta, options);
      const { mask } = kwargs as { mask?: Tensor | Tensor[] | null };
      // The count is only ever made of a number here, so that it can be read at once on all backends.
      const state = { runningPhi: runningPhi.read(), emaGz: emaGz.read(), iterations: iterations.read().dataSync()[0]! };
      const next = powerNorm(x, gamma, beta, state, {
        ...options,
        mask: Array.isArray(mask) ? mask[0] : (mask ?? undefined),
        onBackward: (moved) => {
          if (!this.frozen) emaGz.write(moved);
          moved.dispose();
        },
      });
      if (this.frozen) return next.y;
      runningPhi.write(next.runningPhi);
      iterations.write(scalar(next.iterations, 'int32'));
      return next.y;
    });
  }

  override getConfig(): serialization.ConfigDict {
    return { ...super.getConfig(), ...this.options };
  }
}
