import { tidy, type serialization, type Tensor } from '@tensorflow/tfjs-core';
import { EvenkeelError } from '@evenkeel/core';
import { LayerNormCell, type CellArgs } from '../cell.ts';
import type { Kwargs, Shape } from '../keras.ts';
import { layerNormLSTMStep } from './lstm.ts';

export interface LayerNormLSTMCellArgs extends CellArgs {
  /** Whether the forget gate's part of the bias starts at 1. Default true. */
  unitForgetBias?: boolean;
}

/**
 * A cell for `tf.layers.rnn`: an LSTM with layer normalization, {@link layerNormLSTMStep}. Sigmoid and tanh are its activations.
 *
 * @throws EvenkeelError INVALID_ARGUMENT for units that are no integer > 0, or epsilon <= 0
 *
 * @example
 * const model = tf.sequential();
 * model.add(tf.layers.rnn({ cell: new LayerNormLSTMCell({ units: 32 }), inputShape: [8, 8] })); // [null, 32]
 */
export class LayerNormLSTMCell extends LayerNormCell {
  static readonly className = 'LayerNormLSTMCell';
  readonly stateSize: number[];
  private readonly unitForgetBias: boolean;

  constructor(args: LayerNormLSTMCellArgs) {
    super(args);
    this.stateSize = [this.units, this.units];
    this.unitForgetBias = args.unitForgetBias ?? true;
  }

  override build(inputShape: Shape | Shape[]): void {
    this.addKernels(inputShape, 4, this.unitForgetBias ? this.units : 0);
    this.addNorm('x', 4 * this.units);
    this.addNorm('h', 4 * this.units);
    this.addNorm('c', this.units);
    super.build(inputShape);
  }

  override call(inputs: Tensor | Tensor[], kwargs: Kwargs): Tensor[] {
    if (!Array.isArray(inputs) || inputs.length !== 3) {
      throw new EvenkeelError('INVALID_ARGUMENT', 'inputs is not [x, h, c]; tf.layers.rnn({ cell }) calls a cell so', {
        op: 'LayerNormLSTMCell',
        argument: 'inputs',
      });
    }
    const [x, h, c] = inputs as [Tensor, Tensor, Tensor];
    return tidy(() => {
      this.invokeCallHook(inputs, kwargs);
      const weights = {
        kernel: this.weight('kernel'),
        recurrentKernel: this.weight('recurrent_kernel'),
        bias: this.bias,
        gammaX: this.weight('gamma_x'),
        betaX: this.weight('beta_x'),
        gammaH: this.weight('gamma_h'),
        betaH: this.weight('beta_h'),
        gammaC: this.weight('gamma_c'),
        betaC: this.weight('beta_c'),
      };
      const next = layerNormLSTMStep(x, { h, c }, weights, { epsilon: this.epsilon });
      return [next.h, next.h, next.c];
    });
  }

  override getConfig(): serialization.ConfigDict {
    return { ...super.getConfig(), unitForgetBias: this.unitForgetBias };
  }
}
