import { tidy, type Tensor } from '@tensorflow/tfjs-core';
import { EvenkeelError } from '@evenkeel/core';
import { LayerNormCell, type CellArgs } from '../cell.ts';
import type { Kwargs, Shape } from '../keras.ts';
import { layerNormGRUStep } from './gru.ts';

export type LayerNormGRUCellArgs = CellArgs;

/**
 * A cell for `tf.layers.rnn`: a GRU with layer normalization, {@link layerNormGRUStep}. Sigmoid and tanh are its activations.
 *
 * @throws EvenkeelError INVALID_ARGUMENT for units that are no integer > 0, or epsilon <= 0
 *
 * @example
 * const model = tf.sequential();
 * model.add(tf.layers.rnn({ cell: new LayerNormGRUCell({ units: 32 }), inputShape: [8, 8] })); // [null, 32]
 */
export class LayerNormGRUCell extends LayerNormCell {
  static readonly className = 'LayerNormGRUCell';
  readonly stateSize: number;

  constructor(args: LayerNormGRUCellArgs) {
    super(args);
    this.stateSize = this.units;
  }

  override build(inputShape: Shape | Shape[]): void {
    this.addKernels(inputShape, 3, 0);
    this.addNorm('x', 2 * this.units);
    this.addNorm('h', 2 * this.units);
    this.addNorm('candidate_x', this.units);
    this.addNorm('candidate_h', this.units);
    super.build(inputShape);
  }

  override call(inputs: Tensor | Tensor[], kwargs: Kwargs): Tensor[] {
    if (!Array.isArray(inputs) || inputs.length !== 2) {
      throw new EvenkeelError('INVALID_ARGUMENT', 'inputs is not [x, h]; tf.layers.rnn({ cell }) calls a cell so', {
        op: 'LayerNormGRUCell',
        argument: 'inputs',
      });
    }
    const [x, h] = inputs as [Tensor, Tensor];
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
        gammaCandidateX: this.weight('gamma_candidate_x'),
        betaCandidateX: this.weight('beta_candidate_x'),
        gammaCandidateH: this.weight('gamma_candidate_h'),
        betaCandidateH: this.weight('beta_candidate_h'),
      };
      const next = layerNormGRUStep(x, h, weights, { epsilon: this.epsilon });
      return [next, next];
    });
  }
}
