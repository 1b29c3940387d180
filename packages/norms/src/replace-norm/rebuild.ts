// A model again, layer by layer, with other layers in some places.
import { dispose, type serialization, type Variable } from '@tensorflow/tfjs-core';
import { input, model as functionalModel, sequential, type layers, type LayersModel, type SymbolicTensor } from '@tensorflow/tfjs-layers';
import { serialize, type Constraint, type Kwargs } from '../keras.ts';
import { isModel, partsOf, shortName } from './leaves.ts';

type Layer = layers.Layer;

/** Makes the new layer for one that holds its weights itself: {@link copyOf}, or another. */
export type MakeLayer = (layer: Layer) => Layer;

export interface Rebuilt {
  readonly model: LayersModel;
  /** The new layer of each old one, those inside of others included. */
  readonly layers: ReadonlyMap<Layer, Layer>;
}

/** A new layer of the same class and configuration, not built, with changes to the configuration. */
export function copyOf(layer: Layer, changes: serialization.ConfigDict = {}): Layer {
  const cls = layer.constructor as serialization.SerializableConstructor<Layer> & {
    fromConfig(cls: serialization.SerializableConstructor<Layer>, config: serialization.ConfigDict): Layer;
  };
  return cls.fromConfig(cls, { ...layer.getConfig(), ...amendments(layer), ...changes });
}

/** What tfjs-layers leaves out of the configuration of separable convolutions, and gets wrong in that of depthwise ones. */
function amendments(layer: Layer): serialization.ConfigDict {
  const { depthMultiplier, depthwiseConstraint } = layer as Layer & { depthMultiplier?: number; depthwiseConstraint?: Constraint | null };
  return depthMultiplier === undefined ? {} : { depthMultiplier, depthwiseConstraint: serialize(depthwiseConstraint ?? null) };
}

/** Layers inside of a configuration are given as layers, so that no class needs to be registered. */
function copyHolder(layer: Layer, parts: readonly Layer[]): Layer {
  const config = layer.getConfig();
  const cls = layer.constructor as new (config: object) => Layer;
  if (config['cells']) return new cls({ ...config, cells: parts });
  if (config['cell']) return new cls({ ...config, cell: parts[0] });
  return new cls({ ...config, layer: parts[0] });
}

const listOf = <T>(value: T | T[]): T[] => (Array.isArray(value) ? value : [value]);
const oneOrMore = <T>(values: T[]): T | T[] => (values.length === 1 ? values[0]! : values);

class Rebuilding {
  readonly layers = new Map<Layer, Layer>();
  private readonly make: MakeLayer;
  private readonly without: ReadonlySet<Layer>;

  constructor(make: MakeLayer, without: ReadonlySet<Layer>) {
    this.make = make;
    this.without = without;
  }

  /** The new layer of an old one. One that is used in several places is made once. */
  layer(old: Layer): Layer {
    const made = this.layers.get(old);
    if (made) return made;
    const layer = this.made(old);
    this.layers.set(old, layer);
    return layer;
  }

  private made(old: Layer): Layer {
    if (isModel(old)) return this.model(old);
    const parts = partsOf(old);
    const config = old.getConfig();
    if (parts.length > 0 && (config['cells'] ?? config['cell'] ?? config['layer']) && !('forwardLayer' in old)) {
      return copyHolder(
        old,
        parts.map((part) => this.layer(part)),
      );
    }
    if (parts.length === 0) return this.make(old);
    // Layers that make their own parts, as LSTM and Bidirectional do.
    const copy = copyOf(old);
    this.pair(old, copy);
    return copy;
  }

  /** Notes which part of a new layer is which part of the old one. */
  private pair(old: Layer, copy: Layer): void {
    const parts = partsOf(copy);
    partsOf(old).forEach((part, i) => {
      this.layers.set(part, parts[i]!);
      this.pair(part, parts[i]!);
    });
  }

  model(old: LayersModel): LayersModel {
    return old.getClassName() === 'Sequential' ? this.sequence(old) : this.graph(old);
  }

  private sequence(old: LayersModel): LayersModel {
    const copy = sequential({ name: old.name });
    const kept = old.layers.filter((layer) => !this.without.has(layer));
    for (const layer of kept) {
      const made = this.layer(layer);
      // The first layer says what the model takes.
      if (layer === kept[0] && layer !== old.layers[0]) made.batchInputShape ??= old.inputs[0]!.shape;
      copy.add(made);
    }
    return copy;
  }

  private graph(old: LayersModel): LayersModel {
    const tensors = new Map<SymbolicTensor, SymbolicTensor>();
    const inputs = old.inputs.map((tensor, i) => {
      const layer = old.inputLayers[i]!;
      const made = input({ batchShape: tensor.shape, dtype: tensor.dtype, name: layer.name });
      this.layers.set(layer, made.sourceLayer);
      tensors.set(tensor, made);
      return made;
    });
    const depths = Object.keys(old.nodesByDepth).map(Number);
    for (const depth of depths.sort((a, b) => b - a)) {
      for (const { outboundLayer, inputTensors, outputTensors, callArgs } of old.nodesByDepth[depth]!) {
        if (inputTensors.length === 0 || outputTensors.every((tensor) => tensors.has(tensor))) continue;
        const read = inputTensors.map((tensor) => tensors.get(tensor)!);
        if (this.without.has(outboundLayer)) {
          tensors.set(outputTensors[0]!, read[0]!);
          continue;
        }
        const made = this.layer(outboundLayer).apply(oneOrMore(read), callArgs as Kwargs) as SymbolicTensor | SymbolicTensor[];
        listOf(made).forEach((tensor, i) => tensors.set(outputTensors[i]!, tensor));
      }
    }
    return functionalModel({ inputs, outputs: old.outputs.map((tensor) => tensors.get(tensor)!), name: old.name });
  }
}

/**
 * A model of the same shape, with `make` called for each layer that holds its weights itself. Layers and models that are used more than once
 * stay so. The old model stays as it was; where a layer cannot be made, nothing is left of the new one.
 *
 * @param without - layers of one input and one output that the new model does not have: what reads them reads their input
 */
export function rebuild(model: LayersModel, make: MakeLayer, without: ReadonlySet<Layer> = new Set()): Rebuilt {
  const rebuilding = new Rebuilding(make, without);
  try {
    return { model: rebuilding.model(model), layers: rebuilding.layers };
  } catch (error) {
    for (const layer of rebuilding.layers.values()) if (partsOf(layer).length === 0) dispose(layer.weights.map((weight) => weight.read()));
    throw error;
  }
}

/** Gives a layer the weights of another with the same ones. */
export function copyWeights(from: Layer, to: Layer): void {
  const weights = new Map(from.weights.map((weight) => [shortName(weight), weight]));
  // As they are: `write` would apply a constraint once more.
  for (const weight of to.weights) (weight.read() as Variable).assign(weights.get(shortName(weight))!.read());
}
