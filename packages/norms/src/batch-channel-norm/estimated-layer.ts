// What the layers with estimated statistics share: these, how far they move, and when.
import { scalar, tidy, type serialization, type Tensor } from '@tensorflow/tfjs-core';
import { initializers, InputSpec } from '@tensorflow/tfjs-layers';
import { expect } from '@evenkeel/core';
import { AffineLayer, type AffineArgs } from '../affine.ts';
import { axesLast, knownLengths, positiveAxes } from '../axes-last.ts';
import type { Statistics } from '../batch-norm/moving-statistics.ts';
import { checkShape } from '../checks.ts';
import { oneShape, oneTensor, type Kwargs, type LayerVariable, type Shape } from '../keras.ts';
import { checkEstimate, type Estimated, type EstimateOptions } from './batch-channel-norm.ts';
import { checkRate, checkSchedule, rateOf, type UpdateRate } from './update-rate.ts';

export interface EstimatedArgs extends AffineArgs, Omit<EstimateOptions, 'updateRate'> {
  /** The channel axis, negative counted from the end. Default -1. */
  axis?: number | [number];
  /** Default 1e-5. */
  epsilon?: number;
  /**
   * The share of a batch's statistics in the new ones. A function is called with the number of steps before, and is not saved: a loaded layer has
   * the default then. 'lr' follows the learning rate, as in the paper: tell it by `setUpdateRate`, which is needed before the first step. Default 0.01.
   */
  updateRate?: UpdateRate;
  /** Whether the rate of step t, from 0, is 1 / (t + 1) at least. Default: where updateRate is a number. */
  warmStart?: boolean;
}

/** Steps after which no warm start is left. */
const WARM = 2 ** 30;

export abstract class EstimatedLayer extends AffineLayer {
  private readonly axis: number | [number];
  private readonly updateRate: UpdateRate;
  private readonly warmStart: boolean;
  private readonly defaultRate: number;
  protected readonly onNonFinite: 'throw' | 'skip';
  private axes: number[] = [];
  private told = 0;
  private warned = false;
  private frozen = false;
  private movingMean: LayerVariable | undefined;
  private movingVariance: LayerVariable | undefined;
  private iterations: LayerVariable | undefined;

  /** `defaultRate`: of a layer that is told none; `warm`: whether it has a warm start then. */
  constructor(args: EstimatedArgs, defaultRate = 0.01, warm = true) {
    super(args, 1e-5);
    const layer = this.getClassName();
    // Saved models have null for a function.
    const updateRate = args.updateRate ?? defaultRate;
    const warmStart = args.warmStart ?? (warm && typeof updateRate === 'number');
    this.axis = args.axis ?? -1;
    this.onNonFinite = args.onNonFinite ?? 'throw';
    this.defaultRate = defaultRate;
    checkSchedule(layer, updateRate);
    checkEstimate(layer, defaultRate, this.onNonFinite);
    expect(typeof warmStart === 'boolean', layer, 'warmStart', 'a boolean', warmStart);
    this.updateRate = updateRate;
    this.warmStart = warmStart;
  }

  /** Tells a layer with `updateRate: 'lr'` its rate, for the steps from here on: the learning rate of the optimizer. */
  setUpdateRate(rate: number): void {
    expect(this.updateRate === 'lr', 'setUpdateRate', 'layer', `a layer with updateRate 'lr', which ${this.name} is not`, this.name);
    checkRate('setUpdateRate', 'rate', rate);
    this.told = rate;
  }

  /** Whether training leaves the statistics as they are, and only normalizes: for passes that are not steps, such as accumulating gradients. */
  freezeStatistics(frozen = true): void {
    this.frozen = frozen;
  }

  /** Takes statistics that are known, such as those of a trained batch norm; there is no warm start after that. */
  setStatistics({ mean, variance }: Statistics): void {
    const { movingMean, movingVariance } = this;
    const built = movingMean !== undefined && movingVariance !== undefined;
    expect(built, 'setStatistics', 'layer', `a layer that has been built, which ${this.name} has not`, this.name);
    checkShape('setStatistics', 'mean', mean, movingMean.read().shape, 'as the layer has it');
    checkShape('setStatistics', 'variance', variance, movingVariance.read().shape, 'as the layer has it');
    movingMean.write(mean);
    movingVariance.write(variance);
    tidy(() => {
      this.iterations!.write(scalar(WARM, 'int32'));
    });
  }

  override build(inputShape: Shape | Shape[]): void {
    const layer = this.getClassName();
    const shape = oneShape(layer, inputShape);
    this.axes = positiveAxes(layer, this.axis, shape.length, 1);
    const channels = knownLengths(layer, shape, this.axes);
    this.inputSpec = [new InputSpec({ ndim: shape.length, axes: { [this.axes[0]!]: channels[0]! } })];
    this.addAffineWeights(channels);
    this.addOwnWeights(channels[0]!);
    this.movingMean = this.addWeight('moving_mean', channels, 'float32', initializers.zeros(), undefined, false);
    this.movingVariance = this.addWeight('moving_variance', channels, 'float32', initializers.ones(), undefined, false);
    this.iterations = this.addWeight('iterations', [], 'int32', initializers.zeros(), undefined, false);
    super.build(inputShape);
  }

  /** Weights beyond gamma and beta. */
  protected abstract addOwnWeights(channels: number): void;

  /** Of x with its channels last: a step, or with the statistics as they are. */
  protected abstract step(x: Tensor, state: Statistics, updateRate: number): Estimated;
  protected abstract infer(x: Tensor, state: Statistics): Tensor;

  override call(inputs: Tensor | Tensor[], kwargs: Kwargs): Tensor {
    return tidy(() => {
      this.invokeCallHook(inputs, kwargs);
      const { x, back } = axesLast(oneTensor(this.getClassName(), inputs), this.axes);
      const [movingMean, movingVariance, iterations] = [this.movingMean!, this.movingVariance!, this.iterations!];
      const state = { mean: movingMean.read(), variance: movingVariance.read() };
      if (!kwargs?.['training'] || !this.trainable || this.frozen) return back(this.infer(x, state));
      // The count is only ever made of a number here, so that it can be read at once on all backends.
      const before = iterations.read().dataSync()[0]!;
      const rate = rateOf(this.getClassName(), this.updateRate, before, this.told, this.warmStart);
      this.warnOf(rate);
      const { y, mean, variance } = this.step(x, state, rate);
      movingMean.write(mean);
      movingVariance.write(variance);
      if (x.size > 0) iterations.write(scalar(Math.min(before + 1, WARM), 'int32'));
      return back(y);
    });
  }

  private warnOf(rate: number): void {
    if (rate > 0 || this.warned) return;
    this.warned = true;
    console.warn(`${this.name}: the update rate of a training step is 0, so that the statistics stay as they are`);
  }

  override getConfig(): serialization.ConfigDict {
    const { updateRate, warmStart, axis, onNonFinite } = this;
    return {
      ...super.getConfig(),
      updateRate: typeof updateRate === 'function' ? this.defaultRate : updateRate,
      warmStart,
      axis,
      onNonFinite,
    };
  }
}
