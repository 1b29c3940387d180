import { input, layers, model, type LayersModel, type SymbolicTensor } from '@tensorflow/tfjs-layers';
import { createNorm } from '@evenkeel/norms/models';
import { CLASSES, PIXELS, SIDE } from './sizes.ts';
import type { Norm, StartRequest } from './protocol.ts';

const SEED = 7;
const WIDTH = 48;
const GROUPS = 4;

/** Of the norms that need any: few channels, and few steps to learn moving statistics in. */
const options: Partial<Readonly<Record<Norm, object>>> = {
  group: { groups: GROUPS },
  'batch-channel': { groups: GROUPS },
  batch: { momentum: 0.9 },
  'l1-batch': { momentum: 0.9 },
};

/** A norm and its activation; EvoNorm is both. */
function normalized(x: SymbolicTensor, norm: Norm, name: string): SymbolicTensor {
  if (norm === 'none') return layers.reLU({ name }).apply(x) as SymbolicTensor;
  if (norm === 'evo-norm') return createNorm(norm, { name, groups: GROUPS } as never).apply(x) as SymbolicTensor;
  const own = options[norm] ?? {};
  const layer = createNorm(norm, { name: `${name}-norm`, ...own } as never) as layers.Layer;
  return layers.reLU({ name }).apply(layer.apply(x)) as SymbolicTensor;
}

const glorot = (seed: number): never => ({ className: 'GlorotUniform', config: { seed: SEED + seed } }) as never;

function convolutions(norm: Norm): LayersModel {
  const pixels = input({ shape: [SIDE, SIDE, 1] });
  let x = pixels;
  for (const [at, filters] of [8, 16].entries()) {
    const convolution = layers.conv2d({ filters, kernelSize: 3, strides: 2, padding: 'same', kernelInitializer: glorot(at) });
    x = normalized(convolution.apply(x) as SymbolicTensor, norm, `layer_${at + 1}`);
  }
  const flat = layers.flatten().apply(x) as SymbolicTensor;
  const logits = layers.dense({ units: CLASSES, kernelInitializer: glorot(9) }).apply(flat) as SymbolicTensor;
  return model({ inputs: pixels, outputs: logits });
}

/** As deep as it is told, and narrow: what goes wrong shows. */
function deep(norm: Norm, depth: number): LayersModel {
  const pixels = input({ shape: [SIDE, SIDE, 1] });
  let x = layers.reshape({ targetShape: [PIXELS] }).apply(pixels) as SymbolicTensor;
  for (let at = 0; at < depth; at++) {
    x = normalized(layers.dense({ units: WIDTH, kernelInitializer: glorot(at) }).apply(x) as SymbolicTensor, norm, `layer_${at + 1}`);
  }
  return model({ inputs: pixels, outputs: layers.dense({ units: CLASSES, kernelInitializer: glorot(99) }).apply(x) as SymbolicTensor });
}

/** Pixels [batch, 28, 28, 1] to logits [batch, 10]. The layers `layer_1`, `layer_2`, ... are the activations. The same weights for all norms. */
export function buildNetwork(network: StartRequest['network'], norm: Norm): LayersModel {
  return network === 'convolutions' ? convolutions(norm) : deep(norm, network.depth);
}
