import { models, type LayersModel } from '@tensorflow/tfjs-layers';
import { EvenkeelError, show } from '@evenkeel/core';
import { completeSeeding, seededValues, seedingOf, seedWeights, type Seeding } from './initialize.ts';
import { applyValues, BitHash, decode, encode, namedWeights, valueOf, type EncodedWeight } from './state.ts';

/** A model as {@link saveSeeded} writes it: JSON. */
export interface SeededModel {
  readonly format: 'evenkeel-seeded-1';
  readonly topology: object;
  readonly seeding: Required<Seeding>;
  /** Of the weights that the seed gives, in the order of the model. */
  readonly hash: string;
  /** All others, by name. */
  readonly weights: Readonly<Record<string, EncodedWeight>>;
}

const same = (a: ArrayLike<number>, b: ArrayLike<number>): boolean => {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (!Object.is(a[i], b[i])) return false;
  return true;
};

/**
 * A model that {@link seedWeights} began as its seed and what is no longer as the seed gave it: of one whose norms alone have trained,
 * gamma, beta and running statistics. Nothing that has changed is left out, whatever has trained.
 *
 * @throws EvenkeelError NOT_FOUND for a model that was not seeded
 *
 * @example
 * seedWeights(model, { seed: 1 });
 * // train
 * const json = JSON.stringify(await saveSeeded(model));
 */
export async function saveSeeded(model: LayersModel): Promise<SeededModel> {
  const seeding = seedingOf(model);
  if (seeding === undefined) {
    throw new EvenkeelError('NOT_FOUND', 'model was not seeded, call seedWeights before it is trained', {
      op: 'saveSeeded',
      argument: 'model',
    });
  }
  const hash = new BitHash();
  const given = new Set<unknown>();
  for (const { weight, values } of seededValues(model, seeding)) {
    const now = await valueOf(weight.variable);
    if (!same(now.values, values)) continue;
    given.add(weight.variable);
    hash.add(values);
  }
  const weights: Record<string, EncodedWeight> = {};
  for (const [name, variable] of namedWeights(model, () => true)) {
    if (!given.has(variable)) weights[name] = encode(await valueOf(variable));
  }
  return { format: 'evenkeel-seeded-1', topology: model.toJSON(null, false) as object, seeding, hash: hash.text, weights };
}

/**
 * The model that {@link saveSeeded} wrote, with the same bits in all weights. Its layers are those registered under their names: `use(norms)`
 * first, as for any model.
 *
 * @throws EvenkeelError INVALID_ARGUMENT for something else than such a model, CHECK_FAILED where the seed gives other weights here than
 * where it was saved, NOT_FOUND or SHAPE where weights and layers do not fit
 *
 * @example
 * use(norms);
 * const model = await loadSeeded(JSON.parse(json));
 */
export async function loadSeeded(saved: SeededModel): Promise<LayersModel> {
  const op = 'loadSeeded';
  if (saved?.format !== 'evenkeel-seeded-1') {
    const message = `saved has the format ${show(saved?.format)}, expected "evenkeel-seeded-1"`;
    throw new EvenkeelError('INVALID_ARGUMENT', message, { op, argument: 'saved' });
  }
  const seeding = completeSeeding(op, saved.seeding);
  const model = (await models.modelFromJSON(saved.topology as Parameters<typeof models.modelFromJSON>[0])) as LayersModel;
  try {
    const hash = new BitHash();
    for (const { weight, values } of seededValues(model, seeding)) if (!Object.hasOwn(saved.weights, weight.name)) hash.add(values);
    if (hash.text !== saved.hash) {
      const message = `the seed gives weights with the hash ${hash.text}, expected ${saved.hash}`;
      throw new EvenkeelError('CHECK_FAILED', message, { op, argument: 'saved' });
    }
    seedWeights(model, seeding);
    const values = Object.fromEntries(Object.entries(saved.weights).map(([name, value]) => [name, decode(value)]));
    applyValues(
      op,
      namedWeights(model, () => true),
      values,
      'saved',
    );
  } catch (error) {
    model.dispose();
    throw error;
  }
  return model;
}
