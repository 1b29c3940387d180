// Residual networks as they are made for CIFAR, as tf.layers models.
import { input, layers, model, type LayersModel, type SymbolicTensor } from '@tensorflow/tfjs-layers';
import { createNorm, seedWeights, type KernelStart, type NormArgs, type NormName, type NormStart } from '@evenkeel/norms/models';

/** Width and number of blocks of a segment. Each segment but the first begins with stride 2. */
export type Segment = readonly [width: number, blocks: number];

export interface ResNetOptions {
  /** Height, width and channels of a picture. */
  inputShape: [number, number, number];
  /** Default 10. */
  classes?: number;
  /** Default 'batch', as PyTorch has it. */
  norm?: NormName;
  normArgs?: NormArgs<NormName>;
  /** Default 'kaimingNormal'. */
  initializer?: KernelStart;
  /** Default 'uniform'. */
  normInit?: NormStart;
  /** Default 0. */
  seed?: number;
}

export interface CifarResNetOptions extends ResNetOptions {
  /** Layers with weights: 6 n + 2, with n blocks a segment. */
  depth: number;
  /** Channels of the first segment; the others have two and four times as many. Default 16. */
  width?: number;
}

const PYTORCH: NormArgs<'batch'> = { epsilon: 1e-5, momentum: 0.9, movingVariance: 'unbiased' };

const then = (x: SymbolicTensor, layer: layers.Layer): SymbolicTensor => layer.apply(x) as SymbolicTensor;

/** A residual network of segments of blocks. Layers have the names of the authors' code: conv, bn, blocks.0.conv1, blocks.1.shortcut.0, fc. */
export function resNet(segments: readonly Segment[], options: ResNetOptions): LayersModel {
  const {
    inputShape,
    classes = 10,
    norm = 'batch',
    initializer: kernels = 'kaimingNormal',
    normInit: norms = 'uniform',
    seed = 0,
  } = options;
  const normArgs = options.normArgs ?? (norm === 'batch' ? PYTORCH : {});
  // What they begin with is replaced: see seedWeights.
  const start = { kernelInitializer: 'zeros', useBias: false } as const;
  const normalized = (x: SymbolicTensor, name: string): SymbolicTensor => then(x, createNorm(norm, { ...normArgs, name }));
  const activated = (x: SymbolicTensor, name: string): SymbolicTensor => then(x, layers.activation({ activation: 'relu', name }));
  const convolved = (x: SymbolicTensor, filters: number, strides: number, name: string): SymbolicTensor => {
    if (strides === 1) return then(x, layers.conv2d({ ...start, filters, kernelSize: 3, padding: 'same', name }));
    // 'same' would pad on one side alone.
    const padded = then(x, layers.zeroPadding2d({ padding: 1, name: `${name}.pad`, dataFormat: 'channelsLast' }));
    return then(padded, layers.conv2d({ ...start, filters, kernelSize: 3, strides, name }));
  };

  const pictures = input({ shape: inputShape, name: 'pictures' });
  let channels = segments[0]![0];
  let x = activated(normalized(convolved(pictures, channels, 1, 'conv'), 'bn'), 'relu');
  let block = 0;
  for (const [segment, [width, blocks]] of segments.entries()) {
    for (let i = 0; i < blocks; i++) {
      const name = `blocks.${block++}`;
      const strides = segment > 0 && i === 0 ? 2 : 1;
      let shortcut = x;
      if (strides !== 1 || width !== channels) {
        const narrow = then(x, layers.conv2d({ ...start, filters: width, kernelSize: 1, strides, name: `${name}.shortcut.0` }));
        shortcut = normalized(narrow, `${name}.shortcut.1`);
      }
      const first = activated(normalized(convolved(x, width, strides, `${name}.conv1`), `${name}.bn1`), `${name}.relu1`);
      const second = normalized(convolved(first, width, 1, `${name}.conv2`), `${name}.bn2`);
      const sum = layers.add({ name: `${name}.add` }).apply([second, shortcut]) as SymbolicTensor;
      x = activated(sum, `${name}.relu2`);
      channels = width;
    }
  }
  const pooled = then(x, layers.globalAveragePooling2d({ name: 'pool', dataFormat: 'channelsLast' }));
  const logits = then(pooled, layers.dense({ units: classes, kernelInitializer: 'zeros', name: 'fc' }));
  const made = model({ inputs: pictures, outputs: logits });
  seedWeights(made, { seed, kernels, norms });
  return made;
}

/**
 * A ResNet for small pictures (He et al. 2015, section 4.2) with 1x1 convolutions for shortcuts.
 *
 * @example
 * const network = cifarResNet({ depth: 20, width: 8, inputShape: [14, 14, 1], seed: 1 });
 */
export function cifarResNet({ depth, width = 16, ...options }: CifarResNetOptions): LayersModel {
  const blocks = (depth - 2) / 6;
  if (!Number.isInteger(blocks) || blocks < 1) throw new Error(`depth is ${depth}, expected 6 n + 2 with n >= 1`);
  return resNet(
    [width, 2 * width, 4 * width].map((channels): Segment => [channels, blocks]),
    options,
  );
}
