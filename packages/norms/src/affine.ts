// What all normalization layers share: gamma and beta, with Keras' arguments for them.
import type { serialization, Tensor } from '@tensorflow/tfjs-core';
import { layers } from '@tensorflow/tfjs-layers';
import { expect } from '@evenkeel/core';
import { checkActivation, type Activation } from './activation.ts';
import { checkEpsilon } from './checks.ts';
import {
  resolve,
  serialize,
  type Constraint,
  type Identifier,
  type Initializer,
  type LayerArgs,
  type LayerVariable,
  type Regularizer,
} from './keras.ts';

export interface AffineArgs extends LayerArgs {
  /** Added to the variance, inside the root. Each layer has Keras' default. */
  epsilon?: number;
  /** Whether there is a beta, added after the normalization. Default true. */
  center?: boolean;
  /** Whether there is a gamma, multiplied after the normalization. Default true. */
  scale?: boolean;
  /** Default 'zeros'. */
  betaInitializer?: Identifier<Initializer>;
  /** Default 'ones'. */
  gammaInitializer?: Identifier<Initializer>;
  betaRegularizer?: Identifier<Regularizer>;
  gammaRegularizer?: Identifier<Regularizer>;
  /** As in all of tfjs-layers, applied when the weight is set, not by the optimizer's steps. */
  betaConstraint?: Identifier<Constraint>;
  /** As in all of tfjs-layers, applied when the weight is set, not by the optimizer's steps. */
  gammaConstraint?: Identifier<Constraint>;
}

export interface ActivatedArgs extends AffineArgs {
  /** What is applied to the result in the same pass. Default 'linear': nothing. */
  activation?: Activation | null;
}

/** A layer that normalizes, then multiplies by gamma and adds beta. */
export abstract class AffineLayer extends layers.Layer {
  protected readonly epsilon: number;
  protected readonly center: boolean;
  protected readonly scale: boolean;
  private readonly betaInitializer: Initializer;
  private readonly gammaInitializer: Initializer;
  private readonly betaRegularizer: Regularizer | null;
  private readonly gammaRegularizer: Regularizer | null;
  private readonly betaConstraint: Constraint | null;
  private readonly gammaConstraint: Constraint | null;
  private gammaVariable: LayerVariable | undefined;
  private betaVariable: LayerVariable | undefined;

  constructor(args: AffineArgs, defaultEpsilon: number) {
    super(args);
    const layer = this.getClassName();
    this.epsilon = args.epsilon ?? defaultEpsilon;
    checkEpsilon(layer, this.epsilon);
    this.center = flag(layer, 'center', args.center);
    this.scale = flag(layer, 'scale', args.scale);
    this.betaInitializer = resolve('betaInitializer', args.betaInitializer ?? 'zeros')!;
    this.gammaInitializer = resolve('gammaInitializer', args.gammaInitializer ?? 'ones')!;
    this.betaRegularizer = resolve('betaRegularizer', args.betaRegularizer);
    this.gammaRegularizer = resolve('gammaRegularizer', args.gammaRegularizer);
    this.betaConstraint = resolve('betaConstraint', args.betaConstraint);
    this.gammaConstraint = resolve('gammaConstraint', args.gammaConstraint);
    // Normalization treats padded positions like others: their mask goes on to the next layer.
    this.supportsMasking = true;
  }

  /** Makes gamma and beta, where the layer has them. The name is that in Keras' files of weights. */
  protected addAffineWeights(shape: number[], gammaName = 'gamma'): void {
    const { gammaInitializer, gammaRegularizer, gammaConstraint, betaInitializer, betaRegularizer, betaConstraint } = this;
    if (this.scale) {
      this.gammaVariable = this.addWeight(
        gammaName,
        shape,
        'float32',
        gammaInitializer,
        gammaRegularizer ?? undefined,
        true,
        gammaConstraint ?? undefined,
      );
    }
    if (this.center) {
      this.betaVariable = this.addWeight(
        'beta',
        shape,
        'float32',
        betaInitializer,
        betaRegularizer ?? undefined,
        true,
        betaConstraint ?? undefined,
      );
    }
  }

  protected get gamma(): Tensor | undefined {
    return this.gammaVariable?.read();
  }

  protected get beta(): Tensor | undefined {
    return this.betaVariable?.read();
  }

  override getConfig(): serialization.ConfigDict {
    return {
      ...super.getConfig(),
      epsilon: this.epsilon,
      center: this.center,
      scale: this.scale,
      betaInitializer: serialize(this.betaInitializer),
      gammaInitializer: serialize(this.gammaInitializer),
      betaRegularizer: serialize(this.betaRegularizer),
      gammaRegularizer: serialize(this.gammaRegularizer),
      betaConstraint: serialize(this.betaConstraint),
      gammaConstraint: serialize(this.gammaConstraint),
    };
  }
}

/** An affine layer whose op also activates. */
export abstract class ActivatedLayer extends AffineLayer {
  protected readonly activation: Activation;

  constructor(args: ActivatedArgs, defaultEpsilon: number) {
    super(args, defaultEpsilon);
    this.activation = args.activation ?? 'linear';
    checkActivation(this.getClassName(), this.activation);
  }

  override getConfig(): serialization.ConfigDict {
    return { ...super.getConfig(), activation: this.activation };
  }
}

/** A flag that is on unless it is given. */
function flag(layer: string, argument: string, value: boolean | null | undefined): boolean {
  expect(value === undefined || value === null || typeof value === 'boolean', layer, argument, 'a boolean', value);
  return value ?? true;
}
