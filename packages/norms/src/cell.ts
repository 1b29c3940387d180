// What the recurrent cells share: their arguments and their kernels.
import { concat, ones, serialization, tidy, type Tensor } from '@tensorflow/tfjs-core';
import { layers } from '@tensorflow/tfjs-layers';
import { expect } from '@evenkeel/core';
import { checkEpsilon } from './checks.ts';
import { knownLengths } from './axes-last.ts';
import {
  oneShape,
  resolve,
  serialize,
  type Identifier,
  type Initializer,
  type LayerArgs,
  type LayerVariable,
  type Shape,
} from './keras.ts';

/** There are no regularizers or constraints: tfjs-layers passes over those of the cells of a general `rnn`. */
export interface CellArgs extends LayerArgs {
  /** How many units the carried state has. */
  units: number;
  /** Added to the variances, inside the root. Default 1e-3, as in the other layers. */
  epsilon?: number;
  /** Whether there is a bias besides the betas. Default true. */
  useBias?: boolean;
  /** Default 'glorotUniform'. */
  kernelInitializer?: Identifier<Initializer>;
  /** Default 'orthogonal'. */
  recurrentInitializer?: Identifier<Initializer>;
  /** Default 'zeros'. */
  biasInitializer?: Identifier<Initializer>;
  /** Of all gammas. Default 'ones'. */
  gammaInitializer?: Identifier<Initializer>;
  /** Of all betas. Default 'zeros'. */
  betaInitializer?: Identifier<Initializer>;
}

/** A cell for `tf.layers.rnn`. What tfjs-layers calls RNNCell is not exported; these are its members. */
export abstract class LayerNormCell extends layers.Layer {
  abstract readonly stateSize: number | number[];
  readonly dropoutMask: Tensor[] = [];
  readonly recurrentDropoutMask: Tensor[] = [];
  protected readonly units: number;
  protected readonly epsilon: number;
  protected readonly useBias: boolean;
  private readonly kernelInitializer: Initializer;
  private readonly recurrentInitializer: Initializer;
  private readonly biasInitializer: Initializer;
  private readonly gammaInitializer: Initializer;
  private readonly betaInitializer: Initializer;
  private readonly variables = new Map<string, LayerVariable>();

  constructor(args: CellArgs) {
    super(args);
    const cell = this.getClassName();
    const { units, epsilon = 1e-3, useBias = true } = args;
    expect(Number.isInteger(units) && units > 0, cell, 'units', 'an integer > 0', units);
    checkEpsilon(cell, epsilon);
    this.units = units;
    this.epsilon = epsilon;
    this.useBias = useBias;
    this.kernelInitializer = resolve('kernelInitializer', args.kernelInitializer ?? 'glorotUniform')!;
    this.recurrentInitializer = resolve('recurrentInitializer', args.recurrentInitializer ?? 'orthogonal')!;
    this.biasInitializer = resolve('biasInitializer', args.biasInitializer ?? 'zeros')!;
    this.gammaInitializer = resolve('gammaInitializer', args.gammaInitializer ?? 'ones')!;
    this.betaInitializer = resolve('betaInitializer', args.betaInitializer ?? 'zeros')!;
  }

  /** Makes the two kernels and the bias of `gates` gates. The first `opened` entries of the bias start at 1. */
  protected addKernels(inputShape: Shape | Shape[], gates: number, opened: number): void {
    const cell = this.getClassName();
    const shape = oneShape(cell, inputShape);
    const [inputs] = knownLengths(cell, shape, [shape.length - 1]) as [number];
    const width = gates * this.units;
    this.addVariable('kernel', [inputs, width], this.kernelInitializer);
    this.addVariable('recurrent_kernel', [this.units, width], this.recurrentInitializer);
    if (this.useBias) this.addVariable('bias', [width], opened === 0 ? this.biasInitializer : new Opened(opened, this.biasInitializer));
  }

  /** Makes gamma and beta of one of the cell's normalizations. */
  protected addNorm(name: string, width: number): void {
    this.addVariable(`gamma_${name}`, [width], this.gammaInitializer);
    this.addVariable(`beta_${name}`, [width], this.betaInitializer);
  }

  private addVariable(name: string, shape: number[], initializer: Initializer): void {
    this.variables.set(name, this.addWeight(name, shape, 'float32', initializer, undefined, true));
  }

  /** A weight that the cell has. */
  protected weight(name: string): Tensor {
    return this.variables.get(name)!.read();
  }

  protected get bias(): Tensor | undefined {
    return this.variables.get('bias')?.read();
  }

  override getConfig(): serialization.ConfigDict {
    return {
      ...super.getConfig(),
      units: this.units,
      epsilon: this.epsilon,
      useBias: this.useBias,
      kernelInitializer: serialize(this.kernelInitializer),
      recurrentInitializer: serialize(this.recurrentInitializer),
      biasInitializer: serialize(this.biasInitializer),
      gammaInitializer: serialize(this.gammaInitializer),
      betaInitializer: serialize(this.betaInitializer),
    };
  }
}

/** Ones, then what another initializer gives: a forget gate that starts open. Not serialized: the cell makes it anew. */
class Opened extends serialization.Serializable implements Initializer {
  static readonly className = 'Opened';
  private readonly count: number;
  private readonly others: Initializer;

  constructor(count: number, others: Initializer) {
    super();
    this.count = count;
    this.others = others;
  }

  fromConfigUsesCustomObjects(): boolean {
    return false;
  }

  apply(shape: Shape): Tensor {
    return tidy(() => concat([ones([this.count]), this.others.apply([shape[0]! - this.count], 'float32')]));
  }

  override getConfig(): serialization.ConfigDict {
    return { count: this.count };
  }
}
