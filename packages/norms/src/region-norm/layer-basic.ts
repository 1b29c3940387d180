import { tidy, type Tensor } from '@tensorflow/tfjs-core';
import { layers } from '@tensorflow/tfjs-layers';
import { EvenkeelError, expect } from '@evenkeel/core';
import { resolve, serialize, type Identifier, type Initializer, type Kwargs, type LayerVariable, type Shape } from '../keras.ts';
import { regionNormBasic, type RegionAffineMode } from './basic.ts';
import { channelsOf, optionsOf, word, type Config, type RegionLayerArgs } from './layer-arguments.ts';
import type { RegionNormOptions } from './region-normalize.ts';
import type { MaskResize } from './resize-mask.ts';

export interface RegionNormBasicArgs extends RegionLayerArgs {
  /** 'official': both betas are added everywhere. 'perRegion': each in its own region. Default 'official'. */
  affineMode?: RegionAffineMode;
  /** How the mask is made to fit: 'max' keeps thin holes. Default 'nearest'. */
  resize?: MaskResize;
  /** Whether all above 0.5 is hole and all else valid, in place of an error for values between. Default false. */
  binarize?: boolean;
  /** Of both gammas; gains are 1 + gamma. Default 'zeros'. */
  gammaInitializer?: Identifier<Initializer>;
  /** Of both betas. Default 'zeros'. */
  betaInitializer?: Identifier<Initializer>;
}

const LAYER = 'RegionNormBasic';

/**
 * RN-B as a layer of two inputs, features and mask (1 is hole, 0 is valid) of any resolution: see {@link regionNormBasic}. It has no state:
 * inference takes the statistics of its own input. With `statistics: 'batch'` these are the whole batch's.
 *
 * @throws EvenkeelError INVALID_ARGUMENT for epsilon <= 0, unknown words, another number of inputs, or mask values other than 0 and 1 (on webgpu at the
 * next `await data()`); SHAPE for a mask that is not [batch, height, width, 1]
 *
 * @example
 * const picture = tf.input({ shape: [64, 64, 3] });
 * const mask = tf.input({ shape: [64, 64, 1] });
 * const features = tf.layers.conv2d({ filters: 16, kernelSize: 4, strides: 2, padding: 'same' }).apply(picture);
 * const normalized = new RegionNormBasic({ statistics: 'instance' }).apply([features, mask]); // [null, 32, 32, 16]
 */
export class RegionNormBasic extends layers.Layer {
  static readonly className = LAYER;
  private readonly options: Required<RegionNormOptions>;
  private readonly affineMode: RegionAffineMode;
  private readonly resize: MaskResize;
  private readonly binarize: boolean;
  private readonly gammaInitializer: Initializer;
  private readonly betaInitializer: Initializer;
  private readonly variables: Record<string, LayerVariable> = {};

  constructor(args: RegionNormBasicArgs = {}) {
    super(args);
    const { binarize = false } = args;
    this.options = optionsOf(LAYER, args);
    this.affineMode = word(LAYER, 'affineMode', args.affineMode, ['official', 'perRegion']);
    this.resize = word(LAYER, 'resize', args.resize, ['nearest', 'max']);
    expect(typeof binarize === 'boolean', LAYER, 'binarize', 'a boolean', binarize);
    this.binarize = binarize;
    this.gammaInitializer = resolve('gammaInitializer', args.gammaInitializer ?? 'zeros')!;
    this.betaInitializer = resolve('betaInitializer', args.betaInitializer ?? 'zeros')!;
  }

  override build(inputShape: Shape | Shape[]): void {
    const [shape] = two(inputShape as Shape[]);
    const channels = [channelsOf(LAYER, shape)];
    for (const region of ['foreground', 'background']) {
      this.variables[`${region}Gamma`] = this.addWeight(`${region}_gamma`, channels, 'float32', this.gammaInitializer);
      this.variables[`${region}Beta`] = this.addWeight(`${region}_beta`, channels, 'float32', this.betaInitializer);
    }
    super.build(inputShape);
  }

  override computeOutputShape(inputShape: Shape | Shape[]): Shape {
    return two(inputShape as Shape[])[0];
  }

  override call(inputs: Tensor | Tensor[], kwargs: Kwargs): Tensor {
    return tidy(() => {
      this.invokeCallHook(inputs, kwargs);
      const [x, mask] = two(inputs as Tensor[]);
      const weights = Object.fromEntries(Object.entries(this.variables).map(([name, variable]) => [name, variable.read()]));
      const { affineMode, resize, binarize } = this;
      return regionNormBasic(x, mask, weights, { ...this.options, affineMode, resize, binarize });
    });
  }

  override getConfig(): Config {
    return {
      ...super.getConfig(),
      ...this.options,
      affineMode: this.affineMode,
      resize: this.resize,
      binarize: this.binarize,
      gammaInitializer: serialize(this.gammaInitializer),
      betaInitializer: serialize(this.betaInitializer),
    };
  }
}

/** Features and mask. */
function two<T extends object>(given: T[]): [T, T] {
  if (Array.isArray(given) && given.length === 2 && typeof given[0] === 'object') return given as [T, T];
  const message = 'it is applied to one input, expected two: [features, mask], with 1 for hole in the mask';
  throw new EvenkeelError('INVALID_ARGUMENT', message, { op: LAYER, argument: 'inputs' });
}
