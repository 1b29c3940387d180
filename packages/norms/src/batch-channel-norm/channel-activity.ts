import { abs, div, greater, mean, sqrt, square, sub, tidy, transpose, where, type Tensor } from '@tensorflow/tfjs-core';
import { model as functionalModel, type layers, type LayersModel, type SymbolicTensor } from '@tensorflow/tfjs-layers';
import { EvenkeelError, expect } from '@evenkeel/core';
import { normNameOf } from '../create-norm/table.ts';

export interface ChannelActivityOptions {
  /** The channel axis, negative counted from the end. Default -1. */
  axis?: number;
  /** A channel is dead that is above 0 at a smaller share of its values. Default 0.01. */
  threshold?: number;
}

export interface ModelChannelActivityOptions {
  /** Which layers of the model; not of models within it. Default: its norms. */
  layers?: (layer: layers.Layer) => boolean;
  /** As in {@link ChannelActivityOptions}. */
  threshold?: number;
}

export interface ChannelActivity {
  /** By channel: |mean| / standard deviation, its distance from where it would be above 0 half of the time. Infinite for a constant one that is not 0; 0 for one that is. */
  readonly distance: Float32Array;
  /** By channel: the share of values above 0. */
  readonly active: Float32Array;
  /** The channels that are dead: those that a ReLU behind them makes 0 nearly always. */
  readonly dead: readonly number[];
  /** Of the channels. */
  readonly deadShare: number;
}

/**
 * How far the channels before a ReLU are from being eliminated by it: of the output of a norm, of any kind, over as much data as there is. Norms
 * of channels alone (layer norm, group norm) leave a channel that is small beside those of its group where it is, and it may be below 0 for all
 * inputs; batch norms and the batch part of batch-channel norm center each. NaN counts as not above 0.
 *
 * @param x - [batch, ..., channels]; channels elsewhere with `axis`
 * @throws EvenkeelError SHAPE for rank < 2 or no values, INVALID_ARGUMENT for an axis that x does not have or a threshold outside [0, 1]
 *
 * Source: Qiao, Wang, Liu, Shen, Yuille 2019, "Rethinking Normalization and Elimination Singularity in Neural Networks".
 *
 * @example
 * const { dead, distance } = await channelActivity(model.predict(images));
 */
export async function channelActivity(x: Tensor, { axis = -1, threshold = 0.01 }: ChannelActivityOptions = {}): Promise<ChannelActivity> {
  const op = 'channelActivity';
  expect(threshold >= 0 && threshold <= 1, op, 'threshold', 'a number in [0, 1]', threshold);
  if (x.rank < 2 || x.size === 0) {
    const message = `x has shape [${x.shape.join(', ')}], expected [batch, ..., channels] with at least one value`;
    throw new EvenkeelError('SHAPE', message, { op, argument: 'x' });
  }
  const channel = axis < 0 ? axis + x.rank : axis;
  expect(Number.isInteger(axis) && channel >= 0 && channel < x.rank, op, 'axis', `an axis of a tensor of rank ${x.rank}`, axis);
  const found = tidy(() => {
    const others = Array.from({ length: x.rank }, (_, each) => each).filter((each) => each !== channel);
    const last = transpose(x, [...others, channel]);
    const rows = others.map((_, each) => each);
    const mu = mean(last, rows);
    const deviation = sqrt(mean(square(sub(last, mu)), rows));
    const distance = div(abs(mu), deviation);
    // 0 / 0: constantly 0. Chosen, not cast: on webgpu tfjs cannot transpose what it has cast from booleans.
    return { distance: where(greater(abs(mu), 0), distance, 0), active: mean(where(greater(last, 0), 1, 0), rows) };
  });
  try {
    const [distance, active] = (await Promise.all([found.distance.data(), found.active.data()])) as Float32Array[] as [
      Float32Array,
      Float32Array,
    ];
    const dead = [...active.keys()].filter((each) => active[each]! < threshold);
    return { distance: distance.slice(), active: active.slice(), dead, deadShare: dead.length / active.length };
  } finally {
    found.distance.dispose();
    found.active.dispose();
  }
}

/**
 * {@link channelActivity} of the norms of a model, on one batch, in inference.
 *
 * @returns by the name of the layer
 * @throws EvenkeelError NOT_FOUND where there is no such layer, and as {@link channelActivity}
 *
 * @example
 * for (const [layer, { deadShare }] of Object.entries(await modelChannelActivity(model, images))) console.log(layer, deadShare);
 */
export async function modelChannelActivity(
  model: LayersModel,
  batch: Tensor | Tensor[],
  { layers: chosen = (layer) => normNameOf(layer) !== undefined, threshold = 0.01 }: ModelChannelActivityOptions = {},
): Promise<Record<string, ChannelActivity>> {
  const found = model.layers.filter((layer) => chosen(layer));
  if (found.length === 0) {
    const details = { op: 'modelChannelActivity', argument: 'layers' };
    throw new EvenkeelError('NOT_FOUND', 'the model has no such layer, expected at least one norm', details);
  }
  const outputs = found.map((layer) => layer.output as SymbolicTensor);
  const predicted = functionalModel({ inputs: model.inputs, outputs }).predict(batch);
  const tensors = Array.isArray(predicted) ? predicted : [predicted];
  try {
    const all: Record<string, ChannelActivity> = {};
    for (const [i, layer] of found.entries()) {
      const { axis } = layer.getConfig();
      // Norms over several axes have no channels of their own: the last is taken.
      const one = Array.isArray(axis) && axis.length === 1 ? axis[0] : axis;
      all[layer.name] = await channelActivity(tensors[i]!, { axis: typeof one === 'number' ? one : -1, threshold });
    }
    return all;
  } finally {
    for (const tensor of tensors) tensor.dispose();
  }
}
