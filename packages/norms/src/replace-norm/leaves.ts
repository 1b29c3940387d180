// The layers of a model that hold weights themselves, inside of models, wrappers and recurrent layers as well.
import type { layers, LayersModel } from '@tensorflow/tfjs-layers';
import type { LayerVariable } from '../keras.ts';

type Layer = layers.Layer;

/** What a layer may hold other layers in. */
interface Holder {
  readonly layers?: Layer[];
  readonly layer?: Layer;
  readonly forwardLayer?: Layer;
  readonly backwardLayer?: Layer;
  readonly cell?: Layer;
  readonly cells?: Layer[];
}

/** A model inside of a model, or a model. */
export function isModel(layer: Layer): layer is LayersModel {
  return Array.isArray((layer as Holder).layers) && 'inputs' in layer;
}

/** The layers that a layer is made of: of a model its layers, of a wrapper what it wraps, of a recurrent layer its cell. */
export function partsOf(layer: Layer): Layer[] {
  const { layers: many, layer: wrapped, forwardLayer, backwardLayer, cell, cells } = layer as Holder;
  if (isModel(layer)) return many!;
  // A bidirectional layer keeps what it was made of, too, and does not use it.
  if (forwardLayer && backwardLayer) return [forwardLayer, backwardLayer];
  if (cells) return cells;
  const only = cell ?? wrapped;
  // Recurrent layers such as LSTM are made of a cell; cells and all others of nothing.
  return only ? [only] : [];
}

/** A layer that holds its weights itself, its place in the model, and the layers that it is in, from the outside inwards. */
export interface Leaf {
  readonly layer: Layer;
  /** Names of the layers down to this one, without that of the model. */
  readonly path: string;
  readonly within: readonly Layer[];
}

/** Each layer of a model that holds its weights itself, once, also where it is used more than once. */
export function leavesOf(model: Layer): Leaf[] {
  const leaves: Leaf[] = [];
  const seen = new Set<Layer>();
  const visit = (layer: Layer, path: readonly string[], within: readonly Layer[]): void => {
    if (seen.has(layer)) return;
    seen.add(layer);
    const parts = partsOf(layer);
    if (parts.length === 0) leaves.push({ layer, path: path.join('/'), within });
    for (const part of parts) visit(part, [...path, part.name], [...within, layer]);
  };
  visit(model, [], []);
  return leaves;
}

/** The name of a weight within its layer: 'gamma', 'kernel'. */
export function shortName({ originalName }: LayerVariable): string {
  return originalName.slice(originalName.lastIndexOf('/') + 1);
}
