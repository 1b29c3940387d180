// Weights by name outside of a model, and as JSON.
import { tensor, type Tensor } from '@tensorflow/tfjs-core';
import { EvenkeelError, show } from '@evenkeel/core';
import type { layers, LayersModel } from '@tensorflow/tfjs-layers';
import { leavesOf, shortName } from '../replace-norm/leaves.ts';
import type { LayerVariable } from '../keras.ts';
import { assign } from './weights.ts';

/** The value of a weight, apart from a model. */
export interface WeightValue {
  readonly shape: readonly number[];
  readonly dtype: 'float32' | 'int32';
  readonly values: Float32Array | Int32Array;
}

/** Values by the names of layers and weight: 'block/norm/gamma'. */
export type WeightValues = Readonly<Record<string, WeightValue>>;

/** The weights of some layers of a model by name, running statistics included. */
export function namedWeights(model: LayersModel, of: (layer: layers.Layer) => boolean): Map<string, LayerVariable> {
  const leaves = leavesOf(model).filter(({ layer }) => of(layer));
  return new Map(leaves.flatMap(({ layer, path }) => layer.weights.map((weight) => [`${path}/${shortName(weight)}`, weight])));
}

export async function valueOf(weight: LayerVariable): Promise<WeightValue> {
  const read: Tensor = weight.read();
  const values = await read.data();
  const dtype = read.dtype === 'int32' ? 'int32' : 'float32';
  return { shape: [...read.shape], dtype, values: dtype === 'int32' ? Int32Array.from(values) : Float32Array.from(values) };
}

/** Gives weights these values. Throws before anything has changed where one does not fit, or one of `wanted` is missing. */
export function applyValues(op: string, weights: ReadonlyMap<string, LayerVariable>, values: WeightValues, argument: string): void {
  for (const [name, { shape }] of Object.entries(values)) {
    const weight = weights.get(name);
    if (weight === undefined) {
      throw new EvenkeelError('NOT_FOUND', `${argument} has ${show(name)}, which the model does not have`, { op, argument });
    }
    if (String(weight.shape) === String(shape)) continue;
    const message = `${argument} has ${name} of shape [${shape.join(', ')}], expected [${weight.shape.join(', ')}]`;
    throw new EvenkeelError('SHAPE', message, { op, argument });
  }
  for (const [name, { shape, dtype, values: data }] of Object.entries(values)) {
    const value = tensor(data, [...shape], dtype);
    assign(weights.get(name)!, value);
    value.dispose();
  }
}

/** Numbers as base64 of their bytes, the lowest first. */
export interface EncodedWeight {
  readonly shape: readonly number[];
  readonly dtype: 'float32' | 'int32';
  readonly data: string;
}

export function encode({ shape, dtype, values }: WeightValue): EncodedWeight {
  const bytes = new Uint8Array(4 * values.length);
  const view = new DataView(bytes.buffer);
  values.forEach((value, i) => (dtype === 'int32' ? view.setInt32(4 * i, value, true) : view.setFloat32(4 * i, value, true)));
  let text = '';
  for (const byte of bytes) text += String.fromCharCode(byte);
  return { shape, dtype, data: btoa(text) };
}

export function decode({ shape, dtype, data }: EncodedWeight): WeightValue {
  const bytes = Uint8Array.from(atob(data), (character) => character.charCodeAt(0));
  const view = new DataView(bytes.buffer);
  const values = dtype === 'int32' ? new Int32Array(bytes.length / 4) : new Float32Array(bytes.length / 4);
  for (let i = 0; i < values.length; i++) values[i] = dtype === 'int32' ? view.getInt32(4 * i, true) : view.getFloat32(4 * i, true);
  return { shape, dtype, values };
}

/** FNV-1a over the bits of numbers, 32 at a time: tells whether two engines have made the same ones. */
export class BitHash {
  private state = 0x811c9dc5;

  add(values: Float32Array | Int32Array): void {
    for (const word of new Uint32Array(values.buffer, values.byteOffset, values.length)) {
      this.state = Math.imul(this.state ^ word, 0x01000193);
    }
  }

  get text(): string {
    return (this.state >>> 0).toString(16).padStart(8, '0');
  }
}
