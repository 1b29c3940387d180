import type { layers } from '@tensorflow/tfjs-layers';
import { EvenkeelError, expect, show } from '@evenkeel/core';
import { normNames, NORMS, traitsOf, type NormLayer, type NormName } from './table.ts';

/** What all norms can be given first, so that one can take the place of another. */
export interface SharedNormArgs {
  /** The axis of the channels or, for norms of a sample alone, of the features; negative ones count from the end. Default -1. */
  axis?: number | number[];
  /** Default: the layer's own. */
  epsilon?: number;
  /** Whether there is a beta. Default: where the norm can have one. */
  center?: boolean;
  /** Whether there is a gamma. Default: where the norm can have one. */
  scale?: boolean;
}

/** The arguments of a norm's layer, and those that all norms share. */
export type NormArgs<Name extends NormName> = Omit<
  NonNullable<ConstructorParameters<(typeof NORMS)[Name]['layer']>[0]>,
  keyof SharedNormArgs
> &
  SharedNormArgs;

function isLast(axis: number | readonly number[]): boolean {
  return axis === -1 || (Array.isArray(axis) && axis.length === 1 && axis[0] === -1);
}

/**
 * The layer of a norm, by its name: 'batch', 'layer', 'rms', 'group', 'power' and so on, for models whose norm is a setting. All names
 * take `axis`, `epsilon`, `center` and `scale`, and what else the layer takes. What a norm does not have (an axis that is not the last, for
 * PowerNorm; a beta, for RMS norm) is refused where it is asked for, and never left out in silence.
 *
 * @throws EvenkeelError NOT_FOUND for an unknown name, INVALID_ARGUMENT for a shared argument that the norm cannot have, and as the layer
 *
 * @example
 * const model = tf.sequential();
 * model.add(tf.layers.dense({ units: 64, inputShape: [16] }));
 * model.add(createNorm('power', { epsilon: 1e-5, warmupSteps: 100 }));
 */
export function createNorm<Name extends NormName>(name: Name, args?: NormArgs<Name>): NormLayer<Name> {
  const op = 'createNorm';
  if (!Object.hasOwn(NORMS, name)) {
    throw new EvenkeelError('NOT_FOUND', `name is ${show(name)}, expected one of ${normNames()}`, { op, argument: 'name' });
  }
  const traits = traitsOf(name);
  const { axis, center, scale, ...own } = (args ?? {}) as SharedNormArgs;
  expect(traits.axis !== 'last' || axis === undefined || isLast(axis), op, 'axis', `-1, the only axis of the norm ${name}`, axis);
  expect(traits.center || center !== true, op, 'center', `false: the norm ${name} has no beta`, center);
  expect(traits.scale || scale !== true, op, 'scale', `false: the norm ${name} has no gamma`, scale);
  const taken = {
    ...own,
    ...(traits.axis !== 'last' && axis !== undefined && { axis }),
    ...(traits.center && center !== undefined && { center }),
    ...(traits.scale && scale !== undefined && { scale }),
  };
  // Which class a name stands for is known to the types, but not which of them this call is about.
  const layer = NORMS[name].layer as new (args: object) => layers.Layer;
  return new layer(taken) as NormLayer<Name>;
}
