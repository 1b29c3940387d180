// Puts a layer in the place of another, in a model as it stands. Of tfjs-layers' graph this touches what its types hide, all of it here.
import { input, type layers, type LayersModel } from '@tensorflow/tfjs-layers';
import type { Shape } from '../keras.ts';

type Layer = layers.Layer;

interface GraphNode {
  outboundLayer: Layer;
  inboundLayers: Layer[];
  outputTensors: { sourceLayer: Layer }[];
  inputShapes: Shape[];
}

interface Inside {
  inboundNodes: GraphNode[];
  outboundNodes: GraphNode[];
  // oxlint-disable-next-line no-underscore-dangle -- tfjs' own name
  _refCount: number | null;
}

interface Container {
  layers: Layer[];
  inputLayers?: Layer[];
  outputLayers?: Layer[];
  layersByDepth?: Record<string, Layer[]>;
  /** A sequential model keeps its layers in another model. */
  model?: Container;
  /** Of a compiled model. */
  collectedTrainableWeights?: unknown[];
  trainableWeights: unknown[];
}

const inside = (layer: Layer): Inside => layer as unknown as Inside;

/** The shape of the tensors that a layer of a model takes. */
export function inputShapeOf(layer: Layer): Shape {
  return inside(layer).inboundNodes[0]!.inputShapes[0]!;
}

/** Builds a layer for a place in a model, with its weights named as they are there. */
export function buildFor(layer: Layer, shape: Shape): void {
  layer.apply(input({ batchShape: shape }));
}

/** Puts `by`, which has been built and has the same name, in the place of `layer` of `model`, whose weights it frees. */
export function exchangeLayer(model: LayersModel, layer: Layer, by: Layer): void {
  const [old, next] = [inside(layer), inside(by)];
  next.inboundNodes = old.inboundNodes;
  next.outboundNodes = old.outboundNodes;
  // oxlint-disable-next-line no-underscore-dangle -- tfjs' own name: how many models hold the layer
  next._refCount = old._refCount;
  for (const node of next.inboundNodes) {
    node.outboundLayer = by;
    for (const tensor of node.outputTensors) tensor.sourceLayer = by;
  }
  const exchange = (list: Layer[] | undefined): void => {
    for (let at = list?.indexOf(layer) ?? -1; at >= 0; at = list!.indexOf(layer)) list![at] = by;
  };
  for (const node of next.outboundNodes) exchange(node.inboundLayers);
  const { model: within } = model as unknown as Container;
  for (const container of [model as unknown as Container, ...(within ? [within] : [])]) {
    for (const list of [container.layers, container.inputLayers, container.outputLayers]) exchange(list);
    for (const list of Object.values(container.layersByDepth ?? {})) exchange(list);
  }
  for (const weight of layer.weights) weight.dispose();
}

/** Lets a compiled model, and those in it, train the weights that it now has. */
export function collectWeights(model: LayersModel): void {
  const outer = model as unknown as Container;
  for (const container of [outer, ...(outer.model ? [outer.model] : [])]) {
    if (container.collectedTrainableWeights) container.collectedTrainableWeights = container.trainableWeights;
  }
}
