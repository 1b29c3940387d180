// A model again with other layers in some places. Layers inside of models are looked at, those inside of wrappers and recurrent layers are not.
import { dispose, type serialization, type Variable } from '@tensorflow/tfjs-core';
import { input, model as functional, sequential, type layers, type LayersModel, type SymbolicTensor } from '@tensorflow/tfjs-layers';
import { configOf } from './companded-layer.ts';

type Layer = layers.Layer;

export function isModel(layer: Layer): layer is LayersModel {
  return Array.isArray((layer as Partial<LayersModel>).layers) && 'inputs' in layer;
}

/** All layers that are not models, each once, with the names down to it. */
export function layersOf(model: LayersModel, within = ''): Map<Layer, string> {
  const found = new Map<Layer, string>();
  for (const layer of model.layers) {
    const path = within + layer.name;
    if (!isModel(layer)) found.set(layer, path);
    else for (const [inside, name] of layersOf(layer, `${path}/`)) if (!found.has(inside)) found.set(inside, name);
  }
  return found;
}

/** A new layer of the same class and configuration. */
export function copyOf(layer: Layer): Layer {
  const cls = layer.constructor as serialization.SerializableConstructor<Layer> & {
    fromConfig(cls: serialization.SerializableConstructor<Layer>, config: serialization.ConfigDict): Layer;
  };
  const { depthMultiplier } = layer as Layer & { depthMultiplier?: number };
  return cls.fromConfig(cls, { ...configOf(layer), ...(depthMultiplier !== undefined && { depthMultiplier }) });
}

const list = <T>(value: T | T[]): T[] => (Array.isArray(value) ? value : [value]);

/** Copies a model; `made` remembers what became of each layer. */
function copyModel(old: LayersModel, make: (layer: Layer) => Layer, made: Map<Layer, Layer>): LayersModel {
  const layerOf = (layer: Layer): Layer => {
    const known = made.get(layer) ?? (isModel(layer) ? copyModel(layer, make, made) : make(layer));
    made.set(layer, known);
    return known;
  };
  if (old.getClassName() === 'Sequential') return sequential({ name: old.name, layers: old.layers.map(layerOf) });
  const tensors = new Map<SymbolicTensor, SymbolicTensor>();
  const inputs = old.inputs.map((tensor, i) => {
    const { name } = old.inputLayers[i]!;
    const begin = input({ batchShape: tensor.shape, dtype: tensor.dtype, name });
    made.set(old.inputLayers[i]!, begin.sourceLayer);
    tensors.set(tensor, begin);
    return begin;
  });
  const order = Object.keys(old.nodesByDepth).map(Number);
  for (const node of order.sort((one, other) => other - one).flatMap((depth) => old.nodesByDepth[depth]!)) {
    // That of an input layer makes what it takes.
    if (tensors.has(node.outputTensors[0]!)) continue;
    const read = node.inputTensors.map((tensor) => tensors.get(tensor)!);
    const written = layerOf(node.outboundLayer).apply(read.length === 1 ? read[0]! : read, node.callArgs as object);
    list(written as SymbolicTensor | SymbolicTensor[]).forEach((tensor, i) => tensors.set(node.outputTensors[i]!, tensor));
  }
  return functional({ inputs, outputs: old.outputs.map((tensor) => tensors.get(tensor)!), name: old.name });
}

/** Gives a layer the weights of another of the same class, as they are. */
export function copyWeights(from: Layer, to: Layer): void {
  to.weights.forEach((weight, i) => (weight.read() as Variable).assign(from.weights[i]!.read()));
}

/**
 * A model of the same shape, with `make` called for each layer that is not a model, and `write` to give its weights to the new one. The old model stays as it
 * was; where something fails, nothing is left of the new one.
 */
export function rebuild(model: LayersModel, make: (layer: Layer) => Layer, write: (from: Layer, to: Layer) => void): LayersModel {
  const made = new Map<Layer, Layer>();
  try {
    const copy = copyModel(model, make, made);
    for (const [from, to] of made) if (!isModel(from)) write(from, to);
    return copy;
  } catch (error) {
    for (const layer of made.values()) if (!isModel(layer)) dispose(layer.weights.map((weight) => weight.read()));
    throw error;
  }
}
