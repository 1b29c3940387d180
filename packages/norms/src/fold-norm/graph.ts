// Who reads whom in a model: what folding needs to know of its graph.
import type { layers, LayersModel, SymbolicTensor } from '@tensorflow/tfjs-layers';
import { isModel, partsOf } from '../replace-norm/leaves.ts';

/** A call of a layer within a model. */
export interface Place {
  readonly layer: layers.Layer;
  /** Names of the models around it and its own. */
  readonly path: string;
  /** Shape of its first output, with the batch. */
  readonly shape: readonly (number | null)[];
  /** The calls that its inputs come from, in order. */
  readonly sources: Place[];
  /** The calls that read its outputs. */
  readonly readers: Place[];
  /** Whether the model hands its output out. */
  output: boolean;
}

/** All calls in a model and in the models inside of it, sources before readers. A model inside of a model is a call, too. */
export interface Graph {
  readonly places: readonly Place[];
  /** How many calls there are of each layer. */
  readonly uses: ReadonlyMap<layers.Layer, number>;
}

const DROPS_OUT = new Set(['ActivityRegularization', 'AlphaDropout', 'Dropout', 'GaussianDropout', 'GaussianNoise', 'SpatialDropout1D']);

/** Whether inference hands the input of this call on as it is. */
export function passesOn({ layer }: Place): boolean {
  return DROPS_OUT.has(layer.getClassName()) || (layer.getClassName() === 'Activation' && layer.getConfig()['activation'] === 'linear');
}

function placeOf(layer: layers.Layer, within: string, { shape }: SymbolicTensor): Place {
  return { layer, path: within + layer.name, shape, sources: [], readers: [], output: false };
}

/** The calls of one model, models inside of it as one call each. */
function placesOf(model: LayersModel, within: string): Place[] {
  if (model.getClassName() === 'Sequential') {
    const places = model.layers.map((layer) => {
      const node = layer.inboundNodes.at(-1)!;
      return placeOf(layer, within, node.outputTensors[0]!);
    });
    places.forEach((place, i) => {
      if (i > 0) connect(places[i - 1]!, place);
    });
    if (places.length > 0) places.at(-1)!.output = true;
    return places;
  }
  const made = new Map<SymbolicTensor, Place>();
  const places: Place[] = [];
  const depths = Object.keys(model.nodesByDepth).map(Number);
  for (const depth of depths.sort((a, b) => b - a)) {
    for (const { outboundLayer, inputTensors, outputTensors } of model.nodesByDepth[depth]!) {
      const place = placeOf(outboundLayer, within, outputTensors[0]!);
      places.push(place);
      for (const tensor of outputTensors) made.set(tensor, place);
      for (const tensor of inputTensors) connect(made.get(tensor)!, place);
    }
  }
  for (const tensor of model.outputs) made.get(tensor)!.output = true;
  return places;
}

function connect(source: Place, reader: Place): void {
  source.readers.push(reader);
  reader.sources.push(source);
}

/** The graph of a built model. */
export function graphOf(model: LayersModel): Graph {
  const places: Place[] = [];
  const uses = new Map<layers.Layer, number>();
  const seen = new Set<LayersModel>();
  const use = (layer: layers.Layer): void => {
    uses.set(layer, (uses.get(layer) ?? 0) + 1);
    if (!isModel(layer)) for (const part of partsOf(layer)) use(part);
  };
  const visit = (one: LayersModel, within: string): void => {
    if (seen.has(one)) return;
    seen.add(one);
    for (const place of placesOf(one, within)) {
      places.push(place);
      use(place.layer);
      if (isModel(place.layer)) visit(place.layer, `${place.path}/`);
    }
  };
  visit(model, '');
  return { places, uses };
}
