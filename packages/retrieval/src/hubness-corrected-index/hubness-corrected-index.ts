import { EvenkeelError, expect, random } from '@evenkeel/core';
import { checkCount, checkPositive } from '../checks.ts';
import { countOccurrences } from '../hubness/k-occurrence.ts';
import { hubnessReportOf, type HubnessReport } from '../hubness/report.ts';
import { metricsOf, type RetrievalMetrics } from '../metrics/metrics.ts';
import { addSums, roundingOf, splitBank, subtractSums, sumsOf, type Bank } from './bank.ts';
import type { CandidateSource } from './candidates.ts';
import { readIndex, writeIndex } from './file.ts';
import { settingsOf, type HubnessCorrectedIndexOptions, type Settings } from './options.ts';
import { correctionOf, scan, type Corrections, type Found } from './scan.ts';
import {
  change,
  cutRows,
  disposeSegment,
  download,
  joinRows,
  packRows,
  SEGMENT,
  unpackRows,
  upload,
  type Item,
  type Packed,
  type Segment,
} from './segment.ts';
import { rowsOf, squaresOf, type Vectors } from './vectors.ts';

export interface IndexItem {
  readonly id: string;
  readonly vector: ArrayLike<number>;
  /** Whatever JSON holds; `filter` sees it. */
  readonly metadata?: unknown;
}

export interface FitOptions {
  /** Queries of the past, or of training. */
  readonly queries?: Vectors;
  /** Items of the gallery's kind; `{ sample }` takes so many of the index's own, which then do not count against themselves. */
  readonly gallery?: Vectors | { readonly sample: number };
  /** Takes at most so many of `queries`, at random. Default: all. */
  readonly mostQueries?: number;
  /** Of what is random. Default 0. */
  readonly seed?: number;
}

export interface SearchOptions {
  /** Only items of which this is true. */
  readonly filter?: (metadata: unknown, id: string) => boolean;
  /** false: plain similarity search. Default true. */
  readonly corrected?: boolean;
}

export interface SearchResult {
  readonly id: string;
  /** What results are ranked by: beta times the similarity, less the correction. */
  readonly score: number;
  /** The cosine, the product, or less the squared distance. */
  readonly similarity: number;
  readonly metadata: unknown;
}

export interface Evaluation extends RetrievalMetrics {
  readonly hubness: HubnessReport;
}

export interface TuneOptions {
  /** Where beta is looked for. Default [1, 200], for cosines. */
  readonly range?: readonly [low: number, high: number];
  /** Evaluations of each beta. Default 10. */
  readonly trials?: number;
}

interface Pending {
  readonly item: Item;
  readonly row: Float32Array;
}

interface Part {
  readonly segment: Segment;
  readonly packed: Packed;
  readonly keep: readonly number[];
}

const bytesOf = (bank: Bank | undefined): number => bank?.vectors.byteLength ?? 0;

const none: Corrections = { queries: false, gallery: false };
const name = 'HubnessCorrectedIndex';

/**
 * A search index in memory whose results are corrected for hubs: exact, by fused kernels on wasm and webgpu, and kept up to date as items
 * and bank queries come and go. Methods run one after another, in the order of the calls, and an error leaves the index as it was. Usable in
 * pages, Workers and Node.
 *
 * Memory: the vectors (a quarter with int8), 20 bytes an item (24 with Euclidean distances) beside ids and metadata, and the banks.
 *
 * @example
 * const index = new HubnessCorrectedIndex({ dimensions: 384 });
 * await index.add(texts.map((text, i) => ({ id: text, vector: vectors[i] })));
 * await index.fit({ queries: pastQueries, gallery: { sample: 1000 } });
 * const [results] = await index.search([query], 10);
 */
export class HubnessCorrectedIndex {
  #settings: Settings;
  #segments: Segment[] = [];
  #pending: Pending[] = [];
  #places = new Map<string, { segment: Segment; row: number } | undefined>();
  #queries: Bank | undefined;
  #gallery: Bank | undefined;
  /** Items that some row of each bank has among its nearest; undefined where it must be found anew. */
  #activated: { queries: Set<Item>; gallery: Set<Item> } | undefined;
  #last: Promise<unknown> = Promise.resolve();

  constructor(options: HubnessCorrectedIndexOptions) {
    this.#settings = settingsOf(name, options);
  }

  /** How many items there are. */
  get size(): number {
    return this.#places.size;
  }

  get settings(): Readonly<Settings> {
    return this.#settings;
  }

  /** Rows of the banks. */
  get banks(): { queries: number; gallery: number } {
    return { queries: this.#queries?.rows ?? 0, gallery: this.#gallery?.rows ?? 0 };
  }

  /** Bound on how far a correction that was updated is from one made anew, as a logarithm. It stays below the option of this name. */
  get staleness(): number {
    return this.#segments.reduce((most, { error }) => Math.max(most, error), 0);
  }

  /** Bytes of numbers that are kept: of vectors, beside each item, and of the banks. Ids and metadata are the program's. */
  get bytes(): { vectors: number; items: number; banks: number } {
    const { dimensions, metric, storage } = this.#settings;
    const rows = this.#segments.reduce((sum, { items }) => sum + items.length, 0);
    const vector = storage === 'float32' ? 4 * dimensions : 4 * Math.ceil(dimensions / 4) + 4;
    return {
      vectors: rows * vector + this.#pending.length * 4 * dimensions,
      items: rows * (metric === 'euclidean' ? 24 : 20),
      banks: bytesOf(this.#queries) + bytesOf(this.#gallery),
    };
  }

  /** Runs after what was called before. */
  #run<T>(work: () => Promise<T>): Promise<T> {
    const next = this.#last.then(work);
    this.#last = next.catch(() => undefined);
    return next;
  }

  /**
   * Adds items. Those of a fitted index are corrected like the others.
   *
   * @throws EvenkeelError DUPLICATE for an id that is there, SHAPE, NON_FINITE or INVALID_ARGUMENT for vectors that do not fit
   */
  add(items: readonly IndexItem[]): Promise<void> {
    return this.#run(async () => {
      const op = `${name}.add`;
      const { dimensions, metric } = this.#settings;
      const ids = new Set<string>();
      items.forEach(({ id }, i) => {
        expect(typeof id === 'string' && id !== '', op, `items[${i}].id`, 'a string that is not empty', id);
        expect(!this.#places.has(id) && !ids.has(id), op, `items[${i}].id`, 'an id that is new', id, 'DUPLICATE');
        ids.add(id);
      });
      const vectors = items.map(({ vector }) => vector);
      const rows = rowsOf(op, 'vectors', vectors, dimensions, metric);
      items.forEach(({ id, metadata }, i) => {
        this.#pending.push({ item: { id, metadata }, row: rows.subarray(i * dimensions, (i + 1) * dimensions) });
        this.#places.set(id, undefined);
      });
    });
  }

  /** Removes items by id; returns how many there were. */
  remove(ids: readonly string[]): Promise<number> {
    return this.#run(async () => {
      let removed = 0;
      for (const id of ids) {
        if (!this.#places.has(id)) continue;
        const place = this.#places.get(id);
        this.#places.delete(id);
        removed++;
        if (place === undefined) continue;
        place.segment.items[place.row] = undefined;
        change(place.segment);
      }
      this.#pending = this.#pending.filter(({ item }) => this.#places.has(item.id));
      if (removed > 0) this.#activated = undefined;
      const rows = this.#segments.reduce((sum, { items }) => sum + items.length, 0);
      const alive = this.#segments.reduce((sum, { items }) => sum + items.filter(Boolean).length, 0);
      // A quarter of the vectors is nobody's.
      if (rows - alive > rows / 4) await this.#rebuild(this.#segments, []);
      return removed;
    });
  }

  /**
   * Takes banks, in place of those before, and sums them with all items. Either may be left out; with both left out the correction ends.
   *
   * @throws EvenkeelError INVALID_ARGUMENT for an empty bank or a sample larger than the index; else as `add`
   */
  fit(options: FitOptions = {}): Promise<void> {
    return this.#run(async () => {
      await this.#flush();
      const queries = this.#queryBank(options);
      const gallery = await this.#galleryBank(options);
      await this.#resum(queries, gallery, this.#settings);
      this.#queries = queries;
      this.#gallery = gallery;
    });
  }

  /** Adds queries to the query bank: their sums only, whatever was there before. */
  addBankQueries(vectors: Vectors): Promise<void> {
    return this.#run(async () => {
      const { dimensions, metric, beta1: beta } = this.#settings;
      const added = rowsOf(`${name}.addBankQueries`, 'vectors', vectors, dimensions, metric);
      if (added.length === 0) return;
      await this.#flush();
      const bank: Bank = { rows: added.length / dimensions, vectors: added, own: undefined };
      const sums = await this.#sums(bank, beta);
      const before = this.#queries;
      this.#segments.forEach((segment, i) => {
        if (before === undefined) segment.queryZ.set(sums[i]!);
        else addSums(segment.queryZ, sums[i]!);
        segment.error = Math.max(segment.error, roundingOf(sums[i]!, beta));
        change(segment);
      });
      const all = new Float32Array((before?.vectors.length ?? 0) + added.length);
      all.set(before?.vectors ?? []);
      all.set(added, before?.vectors.length ?? 0);
      this.#queries = { rows: all.length / dimensions, vectors: all, own: undefined };
      this.#activated = undefined;
    });
  }

  /**
   * Takes the oldest queries out of the query bank, by taking their sums back; where that loses too much precision (`staleness`), sums are
   * made anew.
   *
   * @throws EvenkeelError INVALID_ARGUMENT where the bank would be empty: `fit()` ends the correction
   */
  removeBankQueries(count: number): Promise<void> {
    return this.#run(async () => {
      const op = `${name}.removeBankQueries`;
      checkCount(op, 'count', count);
      const bank = this.#queries;
      const rows = bank?.rows ?? 0;
      expect(bank !== undefined && count < rows, op, 'count', `fewer than the ${rows} queries of the bank`, count);
      await this.#flush();
      const { beta1: beta, staleness } = this.#settings;
      const [oldest, rest] = splitBank(bank, count);
      const sums = await this.#sums(oldest, beta);
      const next = this.#segments.map(({ queryZ, error }, i): { z: Float64Array; error: number } => {
        const z = queryZ.slice();
        return { z, error: subtractSums(z, sums[i]!, error, roundingOf(sums[i]!, beta)) };
      });
      for (const [i, segment] of this.#segments.entries()) {
        if (next[i]!.error <= staleness) continue;
        const z = await sumsOf(rest, segment, this.#rowIn(segment), { ...this.#settings, beta });
        next[i] = { z, error: roundingOf(z, beta) };
      }
      this.#segments.forEach((segment, i) => {
        segment.queryZ.set(next[i]!.z);
        segment.error = next[i]!.error;
        change(segment);
      });
      this.#queries = rest;
      this.#activated = undefined;
    });
  }

  /**
   * The k best items of each query, best first; fewer where the filter leaves fewer.
   *
   * @throws EvenkeelError INVALID_ARGUMENT where k exceeds the items, SHAPE, NON_FINITE for queries that do not fit
   */
  search(queries: Vectors, k = 10, options: SearchOptions = {}): Promise<SearchResult[][]> {
    return this.#run(() => this.#search(`${name}.search`, queries, k, options));
  }

  /**
   * The same from the m nearest that another engine finds: candidates of this index's ids are ranked anew by their corrected scores. What is
   * not here is left out.
   */
  searchCandidates(source: CandidateSource, queries: Vectors, k = 10, { candidates = 10 * k } = {}): Promise<SearchResult[][]> {
    return this.#run(async () => {
      const op = `${name}.searchCandidates`;
      checkCount(op, 'k', k);
      expect(Number.isSafeInteger(candidates) && candidates >= k, op, 'candidates', `at least k = ${k}`, candidates);
      rowsOf(op, 'queries', queries, this.#settings.dimensions, this.#settings.metric);
      await this.#flush();
      const lists = await source.candidates(queries, candidates);
      const activated = this.#dynamic ? await this.#activate() : undefined;
      return lists.map((list) => {
        const known = list.flatMap(({ id, similarity }) => {
          const place = this.#places.get(id);
          return place === undefined ? [] : [{ ...place, item: place.segment.items[place.row]!, similarity }];
        });
        const nearest = known.reduce<(typeof known)[number] | undefined>((a, b) => (a && a.similarity >= b.similarity ? a : b), undefined);
        const corrections = this.#activeOf(nearest?.item, activated);
        return known
          .map(({ segment, row, item, similarity }) => ({
            ...item,
            score: this.#factor * similarity - correctionOf(segment, row, corrections),
            similarity,
          }))
          .sort((a, b) => b.score - a.score)
          .slice(0, k);
      });
    });
  }

  /** Metrics of queries whose right item is known, of the k best results, and how often items are among them. */
  evaluate(queries: Vectors, targets: readonly string[], { k = 10, corrected = true } = {}): Promise<Evaluation> {
    return this.#run(() => this.#evaluate(`${name}.evaluate`, queries, targets, k, corrected));
  }

  /**
   * Looks for the betas under which queries that are held out from the bank find their items best (mean reciprocal rank of the 10 best): by
   * golden section over the logarithm, with both alike, then that of the gallery bank alone. The index then has them.
   */
  tune(queries: Vectors, targets: readonly string[], { range = [1, 200], trials = 10 }: TuneOptions = {}): Promise<Evaluation> {
    return this.#run(async () => {
      const op = `${name}.tune`;
      const [low, high] = range;
      checkPositive(op, 'range', low);
      expect(Number.isFinite(high) && high > low, op, 'range', 'two numbers, the lower first', [...range]);
      expect(Number.isSafeInteger(trials) && trials >= 2, op, 'trials', 'a whole number >= 2', trials);
      expect(this.#queries !== undefined || this.#gallery !== undefined, op, 'banks', 'an index that was fitted', 'none');
      await this.#flush();
      const k = Math.min(10, this.size);
      const before = this.#settings;
      const take = async (settings: Settings): Promise<number> => {
        await this.#resum(this.#queries, this.#gallery, settings);
        this.#settings = settings;
        return (await this.#evaluate(op, queries, targets, k, true)).meanReciprocalRank;
      };
      try {
        const both = await goldenSection(low, high, trials, (beta) => take({ ...before, beta1: beta, beta2: beta }));
        let best: Settings = { ...before, beta1: both.at, beta2: both.at };
        if (this.#queries && this.#gallery && this.#settings.method.startsWith('dual')) {
          const own = await goldenSection(low, high, trials, (beta) => take({ ...before, beta1: both.at, beta2: beta }));
          if (own.value > both.value) best = { ...best, beta2: own.at };
        }
        await take(best);
      } catch (error) {
        await take(before).catch(() => undefined);
        throw error;
      }
      return this.#evaluate(op, queries, targets, k, true);
    });
  }

  /** All of the index as one safetensors file, to the bit. */
  save(): Promise<Uint8Array<ArrayBuffer>> {
    return this.#run(async () => {
      await this.#flush();
      const parts = await this.#parts(this.#segments);
      const kept = <T>(of: (segment: Segment, row: number) => T): T[] =>
        parts.flatMap(({ segment, keep }) => keep.map((row) => of(segment, row)));
      return writeIndex({
        settings: this.#settings,
        items: kept(({ items }, row) => items[row]!),
        packed: this.size === 0 ? undefined : joinRows(parts),
        queryZ: Float64Array.from(kept(({ queryZ }, row) => queryZ[row]!)),
        galleryZ: Float64Array.from(kept(({ galleryZ }, row) => galleryZ[row]!)),
        error: this.staleness,
        queries: this.#queries,
        gallery: this.#gallery,
      });
    });
  }

  /**
   * An index of a file that `save` made.
   *
   * @throws EvenkeelError SAFETENSORS for a file that is broken or no index, VERSION_CONFLICT for one of a newer version
   */
  static async load(bytes: Uint8Array | ArrayBuffer): Promise<HubnessCorrectedIndex> {
    const { settings, items, packed, queryZ, galleryZ, error, queries, gallery } = readIndex(bytes);
    const index = new HubnessCorrectedIndex(settings);
    index.#queries = queries;
    index.#gallery = gallery;
    if (packed !== undefined) index.#append(packed, [...items], queryZ, galleryZ, error);
    if (index.size !== items.length) {
      index.dispose();
      throw new EvenkeelError('SAFETENSORS', 'an id stands twice', { op: `${name}.load`, argument: 'bytes' });
    }
    return index;
  }

  /** Frees the tensors. The index is empty afterwards. */
  dispose(): void {
    for (const segment of this.#segments) disposeSegment(segment);
    this.#segments = [];
    this.#pending = [];
    this.#places.clear();
    this.#activated = undefined;
  }

  get #dynamic(): boolean {
    return this.#settings.method === 'dis' || this.#settings.method === 'dual-dis';
  }

  /** Which sums the method subtracts, of the banks that there are. */
  get #corrections(): Corrections {
    const { method } = this.#settings;
    return { queries: method !== 'none' && this.#queries !== undefined, gallery: method.startsWith('dual') && this.#gallery !== undefined };
  }

  get #factor(): number {
    const { method, beta1, beta2 } = this.#settings;
    const { queries, gallery } = this.#corrections;
    if (method === 'none' || (!queries && !gallery)) return 1;
    return (queries ? beta1 : 0) + (gallery ? beta2 : 0);
  }

  #rowIn(segment: Segment): (id: string) => number {
    return (id) => {
      const place = this.#places.get(id);
      return place?.segment === segment ? place.row : -1;
    };
  }

  /** Sums of a bank with each segment. */
  async #sums(bank: Bank, beta: number): Promise<Float64Array[]> {
    const sums: Float64Array[] = [];
    for (const segment of this.#segments) sums.push(await sumsOf(bank, segment, this.#rowIn(segment), { ...this.#settings, beta }));
    return sums;
  }

  /** Sums of both banks with all items, made anew: all or nothing. */
  async #resum(queries: Bank | undefined, gallery: Bank | undefined, { beta1, beta2 }: Settings): Promise<void> {
    const ofQueries = queries && (await this.#sums(queries, beta1));
    const ofGallery = gallery && (await this.#sums(gallery, beta2));
    this.#segments.forEach((segment, i) => {
      if (ofQueries) segment.queryZ.set(ofQueries[i]!);
      if (ofGallery) segment.galleryZ.set(ofGallery[i]!);
      segment.error = Math.max(ofQueries ? roundingOf(ofQueries[i]!, beta1) : 0, ofGallery ? roundingOf(ofGallery[i]!, beta2) : 0);
      change(segment);
    });
    this.#activated = undefined;
  }

  #queryBank({ queries, mostQueries, seed = 0 }: FitOptions): Bank | undefined {
    if (queries === undefined) return undefined;
    const op = `${name}.fit`;
    const { dimensions, metric } = this.#settings;
    const rows = rowsOf(op, 'queries', queries, dimensions, metric);
    const count = rows.length / dimensions;
    expect(count > 0, op, 'queries', 'a bank of at least one query', 'none');
    if (mostQueries !== undefined) checkCount(op, 'mostQueries', mostQueries);
    if (mostQueries === undefined || mostQueries >= count) return { rows: count, vectors: rows, own: undefined };
    const taken = sample(count, mostQueries, seed);
    const vectors = new Float32Array(mostQueries * dimensions);
    taken.forEach((row, i) => vectors.set(rows.subarray(row * dimensions, (row + 1) * dimensions), i * dimensions));
    return { rows: mostQueries, vectors, own: undefined };
  }

  async #galleryBank({ gallery, seed = 0 }: FitOptions): Promise<Bank | undefined> {
    if (gallery === undefined) return undefined;
    const op = `${name}.fit`;
    const { dimensions, metric } = this.#settings;
    if (gallery instanceof Float32Array || Array.isArray(gallery)) {
      const vectors = rowsOf(op, 'gallery', gallery, dimensions, metric);
      expect(vectors.length > 0, op, 'gallery', 'a bank of at least one item', 'none');
      return { rows: vectors.length / dimensions, vectors, own: undefined };
    }
    const { sample: count } = gallery as { sample: number };
    checkCount(op, 'gallery.sample', count);
    // Of an item that is the bank alone nothing would be left.
    expect(count > 1 && count <= this.size, op, 'gallery.sample', `2 to the ${this.size} items`, count);
    const parts = await this.#parts(this.#segments);
    const all = parts.flatMap(({ segment, packed, keep }) => keep.map((row) => ({ packed, row, id: segment.items[row]!.id })));
    const taken = sample(all.length, count, seed).map((i) => all[i]!);
    const vectors = new Float32Array(count * dimensions);
    taken.forEach(({ packed, row }, i) => vectors.set(unpackRows(cutRows(packed, row, row + 1), dimensions), i * dimensions));
    return { rows: count, vectors, own: taken.map(({ id }) => id) };
  }

  /** What segments hold on the host, and which rows are somebody's. */
  async #parts(segments: readonly Segment[]): Promise<Part[]> {
    const parts: Part[] = [];
    for (const segment of segments) {
      parts.push({
        segment,
        packed: await download(segment),
        keep: segment.items.flatMap((item, row) => (item === undefined ? [] : [row])),
      });
    }
    return parts;
  }

  /** Makes segments of rows, and lets ids point to them. */
  #append(packed: Packed, items: Item[], queryZ: Float64Array, galleryZ: Float64Array, error: number): void {
    const { dimensions, metric } = this.#settings;
    for (let from = 0; from < packed.rows; from += SEGMENT) {
      const to = Math.min(from + SEGMENT, packed.rows);
      const part = cutRows(packed, from, to);
      const segment: Segment = {
        ...upload(part),
        items: items.slice(from, to),
        queryZ: queryZ.slice(from, to),
        galleryZ: galleryZ.slice(from, to),
        squares: metric === 'euclidean' ? squaresOf(unpackRows(part, dimensions), dimensions) : undefined,
        error,
        offsets: undefined,
      };
      this.#segments.push(segment);
      segment.items.forEach((item, row) => this.#places.set(item!.id, { segment, row }));
    }
  }

  /** Puts the living rows of some segments, and of others that are not in the index yet, into new ones. */
  async #rebuild(old: readonly Segment[], fresh: readonly Segment[]): Promise<void> {
    const parts = await this.#parts([...old, ...fresh]);
    const kept = <T>(of: (segment: Segment, row: number) => T): T[] =>
      parts.flatMap(({ segment, keep }) => keep.map((row) => of(segment, row)));
    this.#segments = this.#segments.filter((segment) => !old.includes(segment));
    const items = kept(({ items: all }, row) => all[row]!);
    if (items.length > 0) {
      this.#append(
        joinRows(parts),
        items,
        Float64Array.from(kept(({ queryZ }, row) => queryZ[row]!)),
        Float64Array.from(kept(({ galleryZ }, row) => galleryZ[row]!)),
        Math.max(...parts.map(({ segment }) => segment.error)),
      );
    }
    for (const segment of [...old, ...fresh]) disposeSegment(segment);
    this.#activated = undefined;
  }

  /** Gives items that were added a place, and sums of the banks. */
  async #flush(): Promise<void> {
    if (this.#pending.length === 0) return;
    const { dimensions, metric, storage, beta1, beta2 } = this.#settings;
    const rows = new Float32Array(this.#pending.length * dimensions);
    this.#pending.forEach(({ row }, i) => rows.set(row, i * dimensions));
    const packed = packRows(rows, dimensions, storage);
    const count = packed.rows;
    const fresh: Segment = {
      ...upload(packed),
      items: this.#pending.map(({ item }) => item),
      queryZ: new Float64Array(count),
      galleryZ: new Float64Array(count),
      squares: metric === 'euclidean' ? squaresOf(unpackRows(packed, dimensions), dimensions) : undefined,
      error: 0,
      offsets: undefined,
    };
    const banks = [
      [this.#queries, fresh.queryZ, beta1],
      [this.#gallery, fresh.galleryZ, beta2],
    ] as const;
    const own = new Map(fresh.items.map((item, row) => [item!.id, row]));
    try {
      for (const [bank, z, beta] of banks) {
        if (bank === undefined) continue;
        z.set(await sumsOf(bank, fresh, (id) => own.get(id) ?? -1, { ...this.#settings, beta }));
        fresh.error = Math.max(fresh.error, roundingOf(z, beta));
      }
    } catch (error) {
      disposeSegment(fresh);
      throw error;
    }
    const last = this.#segments.at(-1);
    await this.#rebuild(last !== undefined && last.items.length < SEGMENT ? [last] : [], [fresh]);
    this.#pending = [];
  }

  /** Items that the rows of the banks have among their nearest. */
  async #activate(): Promise<{ queries: Set<Item>; gallery: Set<Item> }> {
    if (this.#activated !== undefined) return this.#activated;
    const of = async (bank: Bank | undefined): Promise<Set<Item>> => {
      const found = bank === undefined ? [] : await this.#scan(bank.vectors, Math.min(this.#settings.activation, this.size), none);
      return new Set(found.flat().map(({ item }) => item));
    };
    return (this.#activated = { queries: await of(this.#queries), gallery: await of(this.#gallery) });
  }

  /** What is subtracted for a query with this nearest item. */
  #activeOf(nearest: Item | undefined, activated: { queries: Set<Item>; gallery: Set<Item> } | undefined): Corrections {
    const { queries, gallery } = this.#corrections;
    if (activated === undefined || nearest === undefined) return { queries, gallery };
    return { queries: queries && activated.queries.has(nearest), gallery: gallery && activated.gallery.has(nearest) };
  }

  #scan(
    rows: Float32Array,
    k: number,
    corrections: Corrections,
    filter?: (item: Item) => boolean,
    factor = this.#factor,
  ): Promise<Found[][]> {
    const usual = this.#corrections;
    const keep =
      filter === undefined && factor === this.#factor && corrections.queries === usual.queries && corrections.gallery === usual.gallery;
    return scan(rows, k, { segments: this.#segments, settings: this.#settings, factor, corrections, keep, filter });
  }

  async #search(op: string, queries: Vectors, k: number, { filter, corrected = true }: SearchOptions): Promise<SearchResult[][]> {
    const { dimensions, metric } = this.#settings;
    checkCount(op, 'k', k);
    expect(k <= this.size, op, 'k', `at most the ${this.size} items of the index`, k);
    const rows = rowsOf(op, 'queries', queries, dimensions, metric);
    await this.#flush();
    const only = filter && ((item: Item): boolean => filter(item.metadata, item.id));
    const factor = corrected ? this.#factor : 1;
    const first = await this.#scan(rows, k, corrected && !this.#dynamic ? this.#corrections : none, only, factor);
    if (corrected && this.#dynamic) await this.#correctActive(rows, k, first, only);
    return first.map((list) =>
      list.map(({ item, score, correction }) => ({
        id: item.id,
        score,
        similarity: (score + correction) / factor,
        metadata: item.metadata,
      })),
    );
  }

  /** Searches again, corrected, for queries whose nearest item is activated. */
  async #correctActive(rows: Float32Array, k: number, lists: Found[][], filter: ((item: Item) => boolean) | undefined): Promise<void> {
    const { dimensions } = this.#settings;
    const activated = await this.#activate();
    const groups = new Map<string, { corrections: Corrections; queries: number[] }>();
    lists.forEach((list, i) => {
      const corrections = list.length === 0 ? none : this.#activeOf(list[0]!.item, activated);
      const key = `${corrections.queries} ${corrections.gallery}`;
      if (!groups.has(key)) groups.set(key, { corrections, queries: [] });
      groups.get(key)!.queries.push(i);
    });
    for (const { corrections, queries } of groups.values()) {
      if (!corrections.queries && !corrections.gallery) continue;
      const some = new Float32Array(queries.length * dimensions);
      queries.forEach((query, i) => some.set(rows.subarray(query * dimensions, (query + 1) * dimensions), i * dimensions));
      const found = await this.#scan(some, k, corrections, filter);
      queries.forEach((query, i) => (lists[query] = found[i]!));
    }
  }

  async #evaluate(op: string, queries: Vectors, targets: readonly string[], k: number, corrected: boolean): Promise<Evaluation> {
    const results = await this.#search(op, queries, k, { corrected });
    expect(targets.length === results.length, op, 'targets', `${results.length} ids, one a query`, `${targets.length} ids`, 'SHAPE');
    targets.forEach((id, i) => expect(this.#places.has(id), op, `targets[${i}]`, 'the id of an item', id));
    const numbers = new Map([...this.#places.keys()].map((id, i) => [id, i]));
    const ranks = results.map((list, i) => {
      const own = list.find(({ id }) => id === targets[i])?.score;
      if (own === undefined) return [Infinity];
      const equal = list.filter(({ score }) => score === own).length;
      return [1 + list.filter(({ score }) => score > own).length + (equal - 1) / 2];
    });
    const indices = results.flatMap((list) => list.map(({ id }) => numbers.get(id)!));
    const hubness = hubnessReportOf(countOccurrences(indices, this.size), results.length, { k });
    return { ...metricsOf(ranks, { k }), hubness };
  }
}

/** `count` of the numbers below `of`, each at most once, in a random order. */
function sample(of: number, count: number, seed: number): number[] {
  const order = Array.from({ length: of }, (_, i) => i);
  const chances = random(seed).uniform(count);
  for (let i = 0; i < count; i++) {
    const other = i + Math.floor(chances[i]! * (of - i));
    [order[i], order[other]] = [order[other]!, order[i]!];
  }
  return order.slice(0, count);
}

/** The largest value of a function over [low, high], looked for on a logarithmic scale. Of equal values the first that was found. */
async function goldenSection(
  low: number,
  high: number,
  trials: number,
  evaluate: (at: number) => Promise<number>,
): Promise<{ at: number; value: number }> {
  const ratio = (Math.sqrt(5) - 1) / 2;
  let [a, b] = [Math.log(low), Math.log(high)];
  let best = { at: low, value: -Infinity };
  const take = async (x: number): Promise<number> => {
    const value = await evaluate(Math.exp(x));
    if (value > best.value) best = { at: Math.exp(x), value };
    return value;
  };
  let [left, right] = [b - ratio * (b - a), a + ratio * (b - a)];
  let [ofLeft, ofRight] = [await take(left), await take(right)];
  for (let trial = 2; trial < trials; trial++) {
    if (ofLeft >= ofRight) {
      [b, right, ofRight] = [right, left, ofLeft];
      left = b - ratio * (b - a);
      ofLeft = await take(left);
    } else {
      [a, left, ofLeft] = [left, right, ofRight];
      right = a + ratio * (b - a);
      ofRight = await take(right);
    }
  }
  return best;
}
