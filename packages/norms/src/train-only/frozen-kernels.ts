// Layers whose kernel does not train need its gradient neither, nor the input that it is computed from.
import {
  add,
  conv2d,
  conv2dTranspose,
  customGrad,
  matMul,
  reshape,
  tidy,
  type Tensor,
  type Tensor2D,
  type Tensor4D,
} from '@tensorflow/tfjs-core';
import type { layers } from '@tensorflow/tfjs-layers';
import type { Kwargs } from '../keras.ts';
import { weightOf } from './weights.ts';

type Call = layers.Layer['call'];
type Product = (x: Tensor, kernel: Tensor) => Tensor;

/** A convolution whose gradient is that of its input alone; it saves nothing for the way back. */
function convolution(strides: [number, number], padding: 'same' | 'valid'): Product {
  return (x, kernel) => {
    const { shape } = x;
    const filter = kernel as Tensor4D;
    return customGrad((input) => ({
      value: conv2d(input as Tensor as Tensor4D, filter, strides, padding),
      gradFunc: (dy: Tensor | Tensor[]) => conv2dTranspose(dy as Tensor4D, filter, shape as Tensor4D['shape'], strides, padding),
    }))(x);
  };
}

/** The same for a product with a matrix. */
const product: Product = (x, kernel) => {
  const rows = reshape(x, [-1, kernel.shape[0]!]);
  const y = customGrad((input) => ({
    value: matMul(input as Tensor as Tensor2D, kernel as Tensor2D),
    gradFunc: (dy: Tensor | Tensor[]) => matMul(dy as Tensor2D, kernel as Tensor2D, false, true),
  }))(rows);
  return reshape(y, [...x.shape.slice(0, -1), kernel.shape[1]!]);
};

/** How a layer computes without its bias; undefined for one that tfjs differentiates well itself. */
function productOf(layer: layers.Layer): Product | undefined {
  const { activation, strides, padding, dataFormat, dilationRate } = layer.getConfig();
  // With another activation tfjs-layers does not fuse under a tape, and then asks for the gradients that are needed.
  if (activation !== 'linear') return undefined;
  if (layer.getClassName() === 'Dense') return product;
  const plain = dataFormat === 'channelsLast' && [dilationRate].flat().every((rate) => rate === 1);
  if (layer.getClassName() !== 'Conv2D' || !plain) return undefined;
  return convolution(strides as [number, number], padding as 'same' | 'valid');
}

/**
 * Lets a dense or convolution layer compute in training, while its kernel is frozen, such that no gradient of the kernel is computed: tfjs'
 * fused kernels compute it with the other one, also where nobody wants it. Does nothing for other layers. The layer itself stays as it was in
 * all else; what is returned takes it back.
 */
export function spareKernelGradient(layer: layers.Layer): () => void {
  const multiply = productOf(layer);
  const kernel = weightOf(layer, 'kernel');
  if (multiply === undefined || kernel === undefined || Object.hasOwn(layer, 'call')) return () => {};
  const usual: Call = layer.call.bind(layer);
  layer.call = (inputs: Tensor | Tensor[], kwargs: Kwargs) => {
    if (!kwargs?.['training'] || kernel.trainable) return usual(inputs, kwargs);
    return tidy(() => {
      const [x] = [inputs].flat() as [Tensor];
      const y = multiply(x, kernel.read());
      const bias = weightOf(layer, 'bias');
      return bias ? add(y, bias.read()) : y;
    });
  };
  return () => {
    // What is left is the method of its class.
    delete (layer as { call?: Call }).call;
  };
}
