// An index as one safetensors file.
import { EvenkeelError, readSafetensors, writeSafetensors, type SafetensorsTensor } from '@evenkeel/core';
import type { Bank } from './bank.ts';
import { settingsOf, type HubnessCorrectedIndexOptions, type Settings } from './options.ts';
import type { Item, Packed } from './segment.ts';

const FORMAT = '@evenkeel/retrieval/index';
const VERSION = 1;

export interface Saved {
  readonly settings: Settings;
  readonly items: readonly Item[];
  /** Undefined where there are no items. */
  readonly packed: Packed | undefined;
  readonly queryZ: Float64Array;
  readonly galleryZ: Float64Array;
  readonly error: number;
  readonly queries: Bank | undefined;
  readonly gallery: Bank | undefined;
}

/** The bits of float64, for which the format's readers here have no array. */
const bits = (values: Float64Array): SafetensorsTensor => ({
  dtype: 'I64',
  shape: [values.length],
  data: new BigInt64Array(values.slice().buffer),
});

const json = (value: unknown): SafetensorsTensor => {
  const data = new TextEncoder().encode(JSON.stringify(value));
  return { dtype: 'U8', shape: [data.length], data };
};

function bankTensors(name: string, bank: Bank | undefined): Record<string, SafetensorsTensor> {
  if (bank === undefined) return {};
  return {
    [name]: { dtype: 'F32', shape: [bank.rows, bank.vectors.length / bank.rows], data: bank.vectors },
    ...(bank.own && { [`${name}.own`]: json(bank.own) }),
  };
}

export function writeIndex({ settings, items, packed, queryZ, galleryZ, error, queries, gallery }: Saved): Uint8Array<ArrayBuffer> {
  const tensors: Record<string, SafetensorsTensor> = {
    items: json(items.map(({ id, metadata }) => (metadata === undefined ? [id] : [id, metadata]))),
    queryZ: bits(queryZ),
    galleryZ: bits(galleryZ),
    ...bankTensors('queries', queries),
    ...bankTensors('gallery', gallery),
  };
  if (packed !== undefined) {
    const { rows, words, scales } = packed;
    tensors['vectors'] =
      words instanceof Float32Array
        ? { dtype: 'F32', shape: [rows, words.length / rows], data: words }
        : { dtype: 'I32', shape: [rows, words.length / rows], data: words };
    if (scales !== undefined) tensors['scales'] = { dtype: 'F32', shape: [rows], data: scales };
  }
  return writeSafetensors(tensors, { format: FORMAT, version: String(VERSION), settings: JSON.stringify(settings), error: String(error) });
}

const op = 'HubnessCorrectedIndex.load';

function refuse(message: string, cause?: unknown): never {
  throw new EvenkeelError('SAFETENSORS', message, { op, argument: 'bytes', cause });
}

function parse(name: string, text: string | undefined): unknown {
  try {
    return JSON.parse(text ?? '');
  } catch (cause) {
    return refuse(`${name} is no JSON`, cause);
  }
}

type Tensors = Readonly<Record<string, SafetensorsTensor>>;

function take<D extends SafetensorsTensor['dtype']>(tensors: Tensors, name: string, dtype: D, shape: readonly (number | undefined)[]) {
  const tensor = tensors[name];
  if (tensor === undefined) return refuse(`the file has no tensor ${name}`);
  const fits = tensor.shape.length === shape.length && shape.every((length, axis) => length === undefined || length === tensor.shape[axis]);
  if (tensor.dtype !== dtype || !fits) {
    const wanted = shape.map((length) => length ?? 'any').join(', ');
    return refuse(`${name} is ${tensor.dtype} [${tensor.shape.join(', ')}], expected ${dtype} [${wanted}]`);
  }
  return tensor as Extract<SafetensorsTensor, { dtype: D }>;
}

const text = (tensors: Tensors, name: string): unknown =>
  parse(name, new TextDecoder().decode(take(tensors, name, 'U8', [undefined]).data.slice()));

const doubles = (tensors: Tensors, name: string, count: number): Float64Array =>
  new Float64Array(take(tensors, name, 'I64', [count]).data.slice().buffer);

function takeBank(tensors: Tensors, name: string, dimensions: number): Bank | undefined {
  if (tensors[name] === undefined) return undefined;
  const { shape, data } = take(tensors, name, 'F32', [undefined, dimensions]);
  const own = tensors[`${name}.own`] === undefined ? undefined : text(tensors, `${name}.own`);
  if (own !== undefined && !(Array.isArray(own) && own.length === shape[0] && own.every((id) => typeof id === 'string'))) {
    refuse(`${name}.own is no list of ids`);
  }
  return { rows: shape[0]!, vectors: data.slice(), own: own as string[] | undefined };
}

function takeItems(tensors: Tensors): Item[] {
  const list = text(tensors, 'items');
  if (!Array.isArray(list)) refuse('items is no list');
  return list.map((entry, i) => {
    if (!Array.isArray(entry) || typeof entry[0] !== 'string') refuse(`items[${i}] has no id`);
    return { id: entry[0], metadata: entry[1] as unknown };
  });
}

export function readIndex(bytes: Uint8Array | ArrayBuffer): Saved {
  const { tensors, metadata } = readSafetensors(bytes);
  if (metadata['format'] !== FORMAT) refuse(`the file is no index: its format is ${metadata['format'] ?? 'not said'}, expected ${FORMAT}`);
  if (!(Number(metadata['version']) <= VERSION)) {
    const message = `the file has version ${metadata['version']}, this package reads up to ${VERSION}: update @evenkeel/retrieval`;
    throw new EvenkeelError('VERSION_CONFLICT', message, { op, argument: 'bytes' });
  }
  const settings = settingsOf(op, parse('settings', metadata['settings']) as HubnessCorrectedIndexOptions);
  const { dimensions, storage } = settings;
  const items = takeItems(tensors);
  const rows = items.length;
  let packed: Packed | undefined;
  if (rows > 0 && storage === 'float32') {
    packed = { rows, words: take(tensors, 'vectors', 'F32', [rows, dimensions]).data, scales: undefined };
  } else if (rows > 0) {
    const words = take(tensors, 'vectors', 'I32', [rows, Math.ceil(dimensions / 4)]).data;
    packed = { rows, words, scales: take(tensors, 'scales', 'F32', [rows]).data };
  }
  return {
    settings,
    items,
    packed,
    queryZ: doubles(tensors, 'queryZ', rows),
    galleryZ: doubles(tensors, 'galleryZ', rows),
    error: Number(metadata['error'] ?? 0),
    queries: takeBank(tensors, 'queries', dimensions),
    gallery: takeBank(tensors, 'gallery', dimensions),
  };
}
