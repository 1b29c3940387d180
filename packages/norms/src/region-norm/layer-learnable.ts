import { tidy, type Tensor } from '@tensorflow/tfjs-core';
import { InputSpec, layers } from '@tensorflow/tfjs-layers';
import { EvenkeelError, expect } from '@evenkeel/core';
import {
  oneShape,
  oneTensor,
  resolve,
  serialize,
  type Identifier,
  type Initializer,
  type Kwargs,
  type LayerVariable,
  type Shape,
} from '../keras.ts';
import { channelsOf, optionsOf, type Config, type RegionLayerArgs } from './layer-arguments.ts';
import { checkThreshold, learnedRegions, regionNormLearnable, type LearnedRegions, type RegionNormLearnableWeights } from './learnable.ts';
import type { RegionNormOptions } from './region-normalize.ts';

export interface RegionNormLearnableArgs extends RegionLayerArgs {
  /** Side of the three kernels, odd. Default 7. */
  kernelSize?: number;
  /** A pixel is of the one region where its importance is no less. Default 0.8. */
  threshold?: number;
  /** Of the three kernels. Default normal with a tenth of He's deviation, as in the paper's network: importance starts at about 0.5. */
  kernelInitializer?: Identifier<Initializer>;
  /** Of the two biases. Default 'zeros'. */
  biasInitializer?: Identifier<Initializer>;
}

const LAYER = 'RegionNormLearnable';
const INITIALIZER = { className: 'VarianceScaling', config: { scale: 0.02, mode: 'fanIn', distribution: 'normal' } };
const WEIGHTS = ['mapKernel', 'gammaKernel', 'gammaBias', 'betaKernel', 'betaBias'] as const;

/**
 * RN-L as a layer: finds two regions in its input by itself: see {@link regionNormLearnable}. It has no state: inference takes the statistics
 * of its own input.
 *
 * @throws EvenkeelError INVALID_ARGUMENT for epsilon <= 0, a threshold outside (0, 1), a kernelSize that is not odd, unknown words
 *
 * @example
 * const layer = new RegionNormLearnable({ statistics: 'instance' });
 * const y = layer.apply(features); // as features
 * const { importance, mask } = layer.regions(features); // for a picture of what it has found
 */
export class RegionNormLearnable extends layers.Layer {
  static readonly className = LAYER;
  private readonly options: Required<RegionNormOptions>;
  private readonly kernelSize: number;
  private readonly threshold: number;
  private readonly kernelInitializer: Initializer;
  private readonly biasInitializer: Initializer;
  private readonly variables: Partial<Record<(typeof WEIGHTS)[number], LayerVariable>> = {};

  constructor(args: RegionNormLearnableArgs = {}) {
    super(args);
    const { kernelSize = 7, threshold = 0.8 } = args;
    this.options = optionsOf(LAYER, args);
    expect(Number.isInteger(kernelSize) && kernelSize > 0 && kernelSize % 2 === 1, LAYER, 'kernelSize', 'an odd integer > 0', kernelSize);
    checkThreshold(LAYER, threshold);
    this.kernelSize = kernelSize;
    this.threshold = threshold;
    this.kernelInitializer = resolve<Initializer>('kernelInitializer', args.kernelInitializer ?? INITIALIZER)!;
    this.biasInitializer = resolve('biasInitializer', args.biasInitializer ?? 'zeros')!;
  }

  override build(inputShape: Shape | Shape[]): void {
    const shape = oneShape(LAYER, inputShape);
    this.inputSpec = [new InputSpec({ ndim: 4, axes: { 3: channelsOf(LAYER, shape) } })];
    const { kernelSize: k, kernelInitializer, biasInitializer } = this;
    for (const name of WEIGHTS) {
      const bias = name.endsWith('Bias');
      const own = bias ? [1] : [k, k, name === 'mapKernel' ? 2 : 1, 1];
      const saved = name.replace(/[A-Z]/, (letter) => `_${letter.toLowerCase()}`);
      this.variables[name] = this.addWeight(saved, own, 'float32', bias ? biasInitializer : kernelInitializer);
    }
    super.build(inputShape);
  }

  override call(inputs: Tensor | Tensor[], kwargs: Kwargs): Tensor {
    return tidy(() => {
      this.invokeCallHook(inputs, kwargs);
      const weights = Object.fromEntries(
        WEIGHTS.map((name) => [name, this.variables[name]!.read()]),
      ) as unknown as RegionNormLearnableWeights;
      return regionNormLearnable(oneTensor(LAYER, inputs), weights, { ...this.options, threshold: this.threshold });
    });
  }

  /**
   * What it takes for regions in an input: importance from 0 to 1, and where it is no less than the threshold. New tensors.
   *
   * @param x - [batch, height, width, channels]
   */
  regions(x: Tensor): LearnedRegions {
    const { mapKernel } = this.variables;
    if (mapKernel === undefined) {
      throw new EvenkeelError('INVALID_ARGUMENT', 'it has no weights yet, expected a layer that has been applied', {
        op: LAYER,
        argument: 'x',
      });
    }
    return learnedRegions(x, mapKernel.read(), { threshold: this.threshold });
  }

  override getConfig(): Config {
    return {
      ...super.getConfig(),
      ...this.options,
      kernelSize: this.kernelSize,
      threshold: this.threshold,
      kernelInitializer: serialize(this.kernelInitializer),
      biasInitializer: serialize(this.biasInitializer),
    };
  }
}
