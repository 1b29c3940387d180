// Which weights are scale-invariant by the graph of a model: those whose output reaches nothing but norms, on ways that keep a factor a factor.
import type { Variable } from '@tensorflow/tfjs-core';
import type { layers, LayersModel, LayerVariable, SymbolicTensor } from '@tensorflow/tfjs-layers';

/**
 * How a weight may be scaled without a change of the outputs: each row by a factor of its own, an output channel or the vector of a token
 * ('channel'), or only the whole ('layer').
 */
export type Invariance = 'channel' | 'layer' | 'none';

/** The variable behind a weight of a layer: what reading it gives, though typed as a tensor. */
export const variableOf = (weight: LayerVariable): Variable => weight.read() as Variable;

/** A call of a layer within a model. */
interface Place {
  readonly layer: layers.Layer;
  readonly rank: number;
  readonly readers: Place[];
  /** Whether the model hands its output out. */
  output: boolean;
}

/** What a signal has been through since the weight. */
interface Signal {
  /** A bias was added, which does not grow with the weight. */
  readonly shifted: boolean;
  /** Channels lie on the last axis still. */
  readonly channelsLast: boolean;
  readonly isEmbedding: boolean;
}

/** Subtract a mean and divide by a deviation of each channel by itself. */
const CHANNEL_NORMS = new Set(['BatchNormalization', 'InstanceNormalization', 'L1BatchNormalization', 'EstimatedBatchNormalization']);
/** Divide by a deviation over several channels of one place or one sample. */
const ROW_NORMS = new Set(['LayerNormalization', 'L1LayerNormalization', 'RMSNormalization', 'CRMSNormalization']);
const GROUP_NORMS = new Set(['GroupNormalization']);
/** Standardize each channel of the kernel itself. */
const STANDARDIZED = new Set(['WSConv1D', 'WSConv2D', 'WSConv3D', 'WSDense', 'WSDepthwiseConv2D']);
const LINEAR = /^(Dense|Conv[123]D|Conv[23]DTranspose|DepthwiseConv2D|SeparableConv[12]D|Embedding)$/;
/** f(c x + b) = c f(x) + b for c > 0, channel by channel. */
const POOLS =
  /^(Max|Average)Pooling[123]D$|^Global(Max|Average)Pooling[12]D$|^UpSampling2D$|^Cropping2D$|^Dropout$|^SpatialDropout1D$|^Flatten$/;
const HOMOGENEOUS = new Set(['ReLU', 'LeakyReLU', 'PReLU', 'ZeroPadding2D']);

const place = (layer: layers.Layer, { shape }: SymbolicTensor): Place => ({ layer, rank: shape.length, readers: [], output: false });

/** The calls of one model; a model inside of it is one call, whose inside is visited by itself. */
function placesOf(model: LayersModel): Place[] {
  if (model.getClassName() === 'Sequential') {
    const places = model.layers.map((layer) => place(layer, layer.inboundNodes.at(-1)!.outputTensors[0]!));
    places.forEach((each, i) => places[i - 1]?.readers.push(each));
    const last = places.at(-1);
    if (last) last.output = true;
    return places;
  }
  const made = new Map<SymbolicTensor, Place>();
  const depths = Object.keys(model.nodesByDepth).map(Number);
  const places: Place[] = [];
  for (const depth of depths.sort((a, b) => b - a)) {
    for (const { outboundLayer, inputTensors, outputTensors } of model.nodesByDepth[depth]!) {
      const each = place(outboundLayer, outputTensors[0]!);
      places.push(each);
      for (const tensor of outputTensors) made.set(tensor, each);
      for (const tensor of inputTensors) made.get(tensor)!.readers.push(each);
    }
  }
  for (const tensor of model.outputs) made.get(tensor)!.output = true;
  return places;
}

const ORDER: readonly Invariance[] = ['none', 'layer', 'channel'];
const weakest = (all: readonly Invariance[]): Invariance => ORDER[Math.min(...all.map((each) => ORDER.indexOf(each)))] ?? 'none';

function axesOf(layer: layers.Layer, rank: number): number[] {
  const { axis } = layer.getConfig() as { axis?: number | number[] };
  return [axis ?? -1].flat().map((each) => (each < 0 ? each + rank : each));
}

/** What all that reads a call's output makes of it. */
function afterwards(place: Place, signal: Signal): Invariance {
  if (place.output || place.readers.length === 0) return 'none';
  return weakest(place.readers.map((reader) => through(reader, signal)));
}

function through(place: Place, signal: Signal): Invariance {
  const { layer, rank } = place;
  const name = layer.getClassName();
  if (CHANNEL_NORMS.has(name)) {
    const [axis] = axesOf(layer, rank);
    const byChannel = signal.channelsLast && axis === rank - 1;
    if (signal.shifted && !byChannel) return 'none';
    // A channel of an embedding runs across tokens.
    return byChannel && !signal.isEmbedding ? 'channel' : 'layer';
  }
  if (ROW_NORMS.has(name) || GROUP_NORMS.has(name)) {
    if (signal.shifted) return 'none';
    const ofToken = signal.isEmbedding && signal.channelsLast && ROW_NORMS.has(name) && axesOf(layer, rank).join() === String(rank - 1);
    return ofToken ? 'channel' : 'layer';
  }
  if (POOLS.test(name)) {
    // Tokens are no longer told apart.
    return afterwards(
      place,
      name.includes('Pool') || name === 'Flatten'
        ? { ...signal, isEmbedding: false, channelsLast: signal.channelsLast && !signal.isEmbedding }
        : signal,
    );
  }
  if (name === 'Reshape' || name === 'Permute') return afterwards(place, { ...signal, channelsLast: false });
  const activation = name === 'Activation' ? (layer.getConfig()['activation'] as string) : undefined;
  if (activation === 'linear') return afterwards(place, signal);
  if (HOMOGENEOUS.has(name) || activation === 'relu') return signal.shifted ? 'none' : afterwards(place, signal);
  return 'none';
}

/** Of one call of a layer with a kernel. */
function ofCall(place: Place): Invariance {
  const { activation = 'linear', useBias = false } = place.layer.getConfig() as { activation?: string; useBias?: boolean };
  const isEmbedding = place.layer.getClassName() === 'Embedding';
  if (activation !== 'linear' && activation !== 'relu') return 'none';
  if (activation === 'relu' && useBias) return 'none';
  return afterwards(place, { shifted: useBias, channelsLast: true, isEmbedding });
}

/** By names of variables, for all weights of rank 2 and more that can be trained. */
export function byGraph(model: LayersModel): Map<string, Invariance> {
  const found = new Map<string, Invariance>();
  for (const weight of model.trainableWeights) if (weight.shape.length > 1) found.set(variableOf(weight).name, 'none');
  const seen = new Set<LayersModel>();
  const visit = (one: LayersModel): void => {
    if (seen.has(one)) return;
    seen.add(one);
    const calls = new Map<layers.Layer, Place[]>();
    for (const place of placesOf(one)) {
      if ('nodesByDepth' in place.layer) visit(place.layer as unknown as LayersModel);
      else calls.set(place.layer, [...(calls.get(place.layer) ?? []), place]);
    }
    for (const [layer, places] of calls) {
      const className = layer.getClassName();
      const isStandardized = STANDARDIZED.has(className);
      if (!isStandardized && !LINEAR.test(className)) continue;
      const invariance = isStandardized ? 'channel' : weakest(places.map(ofCall));
      for (const weight of layer.trainableWeights) {
        const { name, shape } = variableOf(weight);
        if (shape.length < 2) continue;
        // The pointwise kernel mixes the channels of the depthwise one: a factor of each would not stay one.
        const isMixed = className.startsWith('Separable') && name.includes('depthwise');
        found.set(name, isMixed && invariance === 'channel' ? 'layer' : invariance);
      }
    }
  };
  visit(model);
  return found;
}
