// Which norms of a model go into which layers, and what the weights of these become.
import type { layers, LayersModel } from '@tensorflow/tfjs-layers';
import { affineOf, fixedNormOf, gainsOf, isNorm, type FixedNorm } from './fixed-norm.ts';
import { graphOf, passesOn, type Place } from './graph.ts';
import {
  channelAxis,
  followedBy,
  hasActivation,
  isLinear,
  linearOf,
  precededBy,
  variesAtBorders,
  type Affine,
  type LinearLayer,
} from './linear-layer.ts';

/** What became of a norm. */
export interface FoldedLayer {
  /** Names of the models around it, without that of the whole, and its own: 'base/bn1'. */
  readonly layer: string;
  readonly className: string;
  /** 'folded': it is gone. 'gains folded': it is there without gamma and beta. 'kept': it is there as it was. */
  readonly result: 'folded' | 'gains folded' | 'kept';
  /** The layers that compute it now. */
  readonly into: readonly string[];
  /** Why it was kept: what stands in the way before it, and what behind. Empty where it was not kept. */
  readonly reasons: readonly string[];
}

export interface PlanOptions {
  /** See `foldNorm`. */
  readonly gains: boolean;
  readonly fixedNorm: ((layer: layers.Layer) => FixedNorm | undefined) | undefined;
}

export interface Plan {
  /** Norms that go. */
  readonly dropped: ReadonlySet<layers.Layer>;
  /** Norms that lose gamma and beta. */
  readonly stripped: ReadonlySet<layers.Layer>;
  /** New weights of layers that norms went into. */
  readonly changed: ReadonlyMap<layers.Layer, LinearLayer>;
  readonly report: readonly FoldedLayer[];
  /** Numbers per sample that no norm reads and writes any more; an unknown length counts as 1. */
  readonly values: number;
}

/** A norm, and what can be folded of it. */
interface Candidate {
  readonly place: Place;
  readonly affine: (Affine & { axis: number }) | undefined;
  /** Whether `affine` is only its gamma and beta. */
  readonly gains: boolean;
}

const kindOf = ({ layer, path }: Place): string => `${path} (${layer.getClassName()})`;

class Planning {
  readonly dropped = new Set<layers.Layer>();
  readonly stripped = new Set<layers.Layer>();
  readonly changed = new Map<layers.Layer, LinearLayer>();
  private readonly uses: ReadonlyMap<layers.Layer, number>;

  constructor(uses: ReadonlyMap<layers.Layer, number>) {
    this.uses = uses;
  }

  private skips(place: Place): boolean {
    return this.dropped.has(place.layer) || passesOn(place);
  }

  /** The call whose result arrives at this one. */
  private sourceOf(place: Place): Place | undefined {
    let source = place.sources[0];
    while (source && this.skips(source)) source = source.sources[0];
    return source;
  }

  /** The calls at which its result arrives, and whether it is a result of the model. */
  private readersOf(place: Place): { readers: Place[]; output: boolean } {
    const readers: Place[] = [];
    let { output } = place;
    for (const reader of place.readers) {
      if (!this.skips(reader)) readers.push(reader);
      else {
        const further = this.readersOf(reader);
        readers.push(...further.readers);
        output ||= further.output;
      }
    }
    return { readers, output };
  }

  /** Why no norm can be folded into a call; undefined if one can. */
  private refusal(place: Place, axis: number, rank: number): string | undefined {
    if (!isLinear(place.layer)) return `${kindOf(place)} is neither dense nor a convolution`;
    const uses = this.uses.get(place.layer)!;
    if (uses > 1) return `${place.path} is used ${uses} times`;
    if (channelAxis(place.layer, rank) !== axis) return `${place.path} has its channels on another axis`;
    return undefined;
  }

  private async weightsOf({ layer }: Place): Promise<LinearLayer> {
    return this.changed.get(layer) ?? (await linearOf(layer));
  }

  /** Folds a norm into the layer before it, or says why not. */
  async before({ place, affine }: Candidate): Promise<string | Place[]> {
    const { axis, ...norm } = affine!;
    const source = this.sourceOf(place);
    if (!source) return 'before it: the input';
    const refusal = this.refusal(source, axis, place.shape.length);
    if (refusal) return `before it: ${refusal}`;
    if (hasActivation(source.layer)) return `before it: ${source.path} has an activation`;
    const { readers, output } = this.readersOf(source);
    if (output) return `before it: the model returns what ${source.path} computes`;
    const others = readers.filter((reader) => reader !== place);
    if (others.length > 0) return `before it: ${source.path} is read by ${others.map(({ path }) => path).join(', ')}, too`;
    this.changed.set(source.layer, followedBy(await this.weightsOf(source), norm));
    return [source];
  }

  /** Folds a norm into all layers that read it, or says why not. */
  async behind({ place, affine }: Candidate): Promise<string | Place[]> {
    const { axis, ...norm } = affine!;
    const { readers, output } = this.readersOf(place);
    if (output) return 'behind it: the model returns what it computes';
    if (readers.length === 0) return 'behind it: nothing';
    const shifts = norm.shift.some((value) => value !== 0);
    for (const reader of readers) {
      const refusal = this.refusal(reader, axis, place.shape.length);
      if (refusal) return `behind it: ${refusal}`;
      if (shifts && variesAtBorders(reader.layer)) {
        return `behind it: ${kindOf(reader)} has borders, where the norm's shift would not be the same; only a norm without a shift can be folded`;
      }
    }
    for (const reader of readers) this.changed.set(reader.layer, precededBy(await this.weightsOf(reader), norm));
    return readers;
  }

  async fold(candidate: Candidate): Promise<FoldedLayer> {
    const { place, affine, gains } = candidate;
    const names = { layer: place.path, className: place.layer.getClassName() };
    const kept = (...reasons: string[]): FoldedLayer => ({ ...names, result: 'kept', into: [], reasons });
    if (!affine) return kept('in inference it is not a scale and a shift of each channel');
    const uses = this.uses.get(place.layer)!;
    if (uses > 1) return kept(`it is used ${uses} times`);
    const reasons: string[] = [];
    for (const side of gains ? (['behind'] as const) : (['before', 'behind'] as const)) {
      const into = await this[side](candidate);
      if (typeof into === 'string') reasons.push(into);
      else {
        (gains ? this.stripped : this.dropped).add(place.layer);
        return { ...names, result: gains ? 'gains folded' : 'folded', into: into.map(({ path }) => path), reasons: [] };
      }
    }
    return kept(...reasons);
  }
}

async function candidateOf(place: Place, { gains, fixedNorm }: PlanOptions): Promise<Candidate | undefined> {
  const rank = place.shape.length;
  const fixed = fixedNorm?.(place.layer) ?? (await fixedNormOf(place.layer));
  if (fixed) return { place, affine: affineOf(fixed, rank), gains: false };
  const ending = gains ? await gainsOf(place.layer) : undefined;
  if (ending) return { place, affine: affineOf(ending, rank), gains: true };
  return isNorm(place.layer) ? { place, affine: undefined, gains: false } : undefined;
}

/** Finds a layer for each norm that can be folded. */
export async function planFolding(model: LayersModel, options: PlanOptions): Promise<Plan> {
  const { places, uses } = graphOf(model);
  const planning = new Planning(uses);
  const report = new Map<layers.Layer, FoldedLayer>();
  const open = new Map<layers.Layer, Candidate>();
  for (const place of places) {
    const candidate = await candidateOf(place, options);
    if (candidate) open.set(place.layer, candidate);
  }
  const inOrder = [...open.keys()];
  let values = 0;
  // Where a norm went, the one beside it may find a neighbour: again, until none does.
  for (let left = open.size + 1; open.size < left;) {
    left = open.size;
    for (const [layer, candidate] of open) {
      const entry = await planning.fold(candidate);
      report.set(layer, entry);
      if (entry.result === 'kept') continue;
      open.delete(layer);
      if (entry.result === 'folded') values += candidate.place.shape.slice(1).reduce((size: number, length) => size * (length ?? 1), 1);
    }
  }
  const { dropped, stripped, changed } = planning;
  return { dropped, stripped, changed, values, report: inOrder.map((layer) => report.get(layer)!) };
}
