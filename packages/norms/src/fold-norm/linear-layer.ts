// Dense layers and convolutions as folding sees them: kernels between channels, and a bias. In float64, since folding a norm with a large mean
// subtracts numbers that nearly cancel.
import type { layers } from '@tensorflow/tfjs-layers';
import { shortName } from '../replace-norm/leaves.ts';

/** A scale and a shift for each channel. */
export interface Affine {
  readonly scale: Float64Array;
  readonly shift: Float64Array;
}

/** A kernel, and the channels that each of its elements is between. */
interface Kernel {
  readonly name: string;
  readonly shape: readonly number[];
  readonly values: Float64Array;
  readonly outputs: number;
  readonly inputOf: (element: number) => number;
  readonly outputOf: (element: number) => number;
}

/** The weights of a dense layer or a convolution. A separable convolution has two kernels, one after the other. */
export interface LinearLayer {
  readonly kernels: readonly Kernel[];
  /** Zeros where the layer has none. */
  readonly bias: Float64Array;
}

type Layout = 'inputs, outputs' | 'outputs, inputs' | 'depthwise';

interface Kind {
  /** The layouts of its kernels' last two axes, by name. */
  readonly kernels: Readonly<Record<string, Layout>>;
}

const REGULAR: Kind = { kernels: { kernel: 'inputs, outputs' } };
const TRANSPOSED: Kind = { kernels: { kernel: 'outputs, inputs' } };

const KINDS: Readonly<Record<string, Kind>> = {
  Dense: REGULAR,
  Conv1D: REGULAR,
  Conv2D: REGULAR,
  Conv3D: REGULAR,
  Conv2DTranspose: TRANSPOSED,
  Conv3DTranspose: TRANSPOSED,
  DepthwiseConv2D: { kernels: { depthwise_kernel: 'depthwise' } },
  SeparableConv2D: { kernels: { depthwise_kernel: 'depthwise', pointwise_kernel: 'inputs, outputs' } },
};

/** Whether a norm can be folded into a layer of this class. */
export function isLinear(layer: layers.Layer): boolean {
  return Object.hasOwn(KINDS, layer.getClassName());
}

/** The axis of a linear layer's channels, in its input and in its output. */
export function channelAxis(layer: layers.Layer, rank: number): number {
  return layer.getConfig()['dataFormat'] === 'channelsFirst' ? 1 : rank - 1;
}

/** Whether it has an activation, behind which nothing can be folded into it. */
export function hasActivation(layer: layers.Layer): boolean {
  return (layer.getConfig()['activation'] ?? 'linear') !== 'linear';
}

/** Whether its bias for a constant input is not the same everywhere: whether it pads with zeros, or its windows overlap at borders. */
export function variesAtBorders(layer: layers.Layer): boolean {
  const { kernelSize = [1], padding, strides = [1] } = layer.getConfig() as { kernelSize?: number[]; padding?: string; strides?: number[] };
  const wide = kernelSize.some((size) => size > 1);
  if (KINDS[layer.getClassName()] === TRANSPOSED) return wide || strides.some((stride) => stride > 1);
  return wide && padding !== 'valid';
}

function kernelOf(name: string, layout: Layout, shape: readonly number[], values: Float64Array): Kernel {
  const [last = 1, beforeLast = 1] = [shape.at(-1), shape.at(-2)];
  if (layout === 'depthwise') {
    const outputs = beforeLast * last;
    return { name, shape, values, outputs, inputOf: (e) => Math.floor((e % outputs) / last), outputOf: (e) => e % outputs };
  }
  const inner = (e: number): number => e % last;
  const outer = (e: number): number => Math.floor(e / last) % beforeLast;
  return layout === 'inputs, outputs'
    ? { name, shape, values, outputs: last, inputOf: outer, outputOf: inner }
    : { name, shape, values, outputs: beforeLast, inputOf: inner, outputOf: outer };
}

/** The weights of a layer for which {@link isLinear} holds. */
export async function linearOf(layer: layers.Layer): Promise<LinearLayer> {
  const weights = new Map(layer.weights.map((weight) => [shortName(weight), weight.read()]));
  const kernels: Kernel[] = [];
  for (const [name, layout] of Object.entries(KINDS[layer.getClassName()]!.kernels)) {
    const tensor = weights.get(name)!;
    kernels.push(kernelOf(name, layout, tensor.shape, Float64Array.from(await tensor.data())));
  }
  const bias = weights.get('bias');
  return { kernels, bias: bias ? Float64Array.from(await bias.data()) : new Float64Array(kernels.at(-1)!.outputs) };
}

const scaled = (kernel: Kernel, scale: Float64Array, channelOf: (element: number) => number): Kernel => ({
  ...kernel,
  values: kernel.values.map((value, element) => value * scale[channelOf(element)]!),
});

/** What a constant input makes of a kernel's output: the same at every position. */
function through({ values, outputs, inputOf, outputOf }: Kernel, input: Float64Array): Float64Array {
  const sums = new Float64Array(outputs);
  values.forEach((value, element) => {
    sums[outputOf(element)]! += value * input[inputOf(element)]!;
  });
  return sums;
}

/** The layer with a norm behind it: y = scale (kernel x + bias) + shift. */
export function followedBy({ kernels, bias }: LinearLayer, { scale, shift }: Affine): LinearLayer {
  const last = kernels.at(-1)!;
  return {
    kernels: [...kernels.slice(0, -1), scaled(last, scale, last.outputOf)],
    bias: bias.map((value, channel) => value * scale[channel]! + shift[channel]!),
  };
}

/** The layer with a norm before it: y = kernel (scale x + shift) + bias. */
export function precededBy({ kernels, bias }: LinearLayer, { scale, shift }: Affine): LinearLayer {
  const first = kernels[0]!;
  const constant = kernels.reduce((input, kernel) => through(kernel, input), shift);
  return {
    kernels: [scaled(first, scale, first.inputOf), ...kernels.slice(1)],
    bias: bias.map((value, channel) => value + constant[channel]!),
  };
}
