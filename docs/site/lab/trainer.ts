// One network in training: a step, its accuracy, its answers, and what passes its layers.
import {
  argMax,
  dispose,
  equal,
  losses,
  mean,
  oneHot,
  softmax,
  tensor1d,
  tensor4d,
  tidy,
  train as optimizers,
  type Optimizer,
  type Scalar,
  type Tensor,
  type Tensor2D,
  type Variable,
} from '@tensorflow/tfjs-core';
import { model as modelOf, type LayersModel } from '@tensorflow/tfjs-layers';
import { inspectNorms } from '@evenkeel/norms/models';
import { buildNetwork } from './networks.ts';
import { BINS, RANGE, type LayerReport, type OptimizerName, type RunSettings, type StartRequest } from './protocol.ts';
import { CLASSES, PIXELS, SIDE } from './sizes.ts';

export interface Batch {
  readonly pixels: Float32Array;
  readonly labels: Int32Array;
}

export interface Trainer {
  /** Moves the weights once; resolves to the loss before. */
  step(batch: Batch): Promise<number>;
  /** Percent of the digits that it knows. */
  accuracy(batch: Batch): Promise<number>;
  /** Of each class, for one digit. */
  probabilities(pixels: Float32Array): Promise<number[]>;
  /** What passes each activation on a batch. */
  layers(batch: Batch): Promise<LayerReport[]>;
  dispose(): void;
}

const make: Readonly<Record<OptimizerName, (rate: number) => Optimizer>> = {
  sgd: (rate) => optimizers.sgd(rate),
  momentum: (rate) => optimizers.momentum(rate, 0.9),
  rmsprop: (rate) => optimizers.rmsprop(rate),
  adagrad: (rate) => optimizers.adagrad(rate),
  adam: (rate) => optimizers.adam(rate),
};

const pictures = (pixels: Float32Array): Tensor => tensor4d(pixels, [pixels.length / PIXELS, SIDE, SIDE, 1]);

const crossEntropy = (logits: Tensor, labels: Int32Array): Scalar =>
  losses.softmaxCrossEntropy(oneHot(tensor1d(labels, 'int32'), CLASSES), logits) as Scalar;

async function read(made: Tensor): Promise<ArrayLike<number>> {
  const values = await made.data();
  made.dispose();
  return values;
}

/** Shares of the values in BINS steps from -RANGE to RANGE, mean and standard deviation. */
export function histogram(values: ArrayLike<number>): Pick<LayerReport, 'shares' | 'mean' | 'deviation'> {
  const counts = Array.from({ length: BINS }, () => 0);
  let [sum, squares] = [0, 0];
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    const bin = Math.floor(((value + RANGE) / (2 * RANGE)) * BINS);
    counts[Math.max(0, Math.min(BINS - 1, bin))]!++;
    sum += value;
  }
  const center = sum / values.length;
  for (let i = 0; i < values.length; i++) squares += (values[i]! - center) ** 2;
  return { shares: counts.map((count) => count / values.length), mean: center, deviation: Math.sqrt(squares / values.length) };
}

const apply = (of: LayersModel, x: Tensor, training: boolean): Tensor | Tensor[] => of.apply(x, { training }) as Tensor | Tensor[];

const isActivation = ({ name }: { name: string }): boolean => /^layer_\d+$/.test(name);

/** A network with new weights, and its optimizer. */
export function makeTrainer({ norm, optimizer: name, learningRate }: RunSettings, network: StartRequest['network']): Trainer {
  const net: LayersModel = buildNetwork(network, norm);
  const optimizer = make[name](learningRate);
  const weights = net.trainableWeights.map((weight) => weight.read() as Variable);
  const activations = net.layers.filter(isActivation);
  const before = modelOf({ inputs: net.inputs, outputs: activations.map((layer) => layer.input as never) });

  return {
    async step({ pixels, labels }) {
      const loss = tidy(() => {
        const x = pictures(pixels);
        return optimizer.minimize(() => crossEntropy(apply(net, x, true) as Tensor, labels), true, weights)!;
      });
      return (await read(loss))[0]!;
    },

    async accuracy({ pixels, labels }) {
      const right = tidy(() => mean(equal(argMax(apply(net, pictures(pixels), false) as Tensor2D, 1), tensor1d(labels, 'int32'))));
      return (await read(right))[0]! * 100;
    },

    async probabilities(pixels) {
      return Array.from(await read(tidy(() => softmax(apply(net, pictures(pixels), false) as Tensor2D))));
    },

    async layers({ pixels, labels }) {
      const x = pictures(pixels);
      try {
        const passing = tidy(() => [apply(before, x, false)].flat());
        const values: ArrayLike<number>[] = [];
        for (const each of passing) values.push(await read(each));
        const report = await inspectNorms(net, x, {
          loss: (y) => crossEntropy(y as Tensor, labels),
          training: false,
          layers: isActivation,
          samples: 16,
        });
        return report.norms.map(({ output, gradients }, at) => ({
          ...histogram(values[at]!),
          dead: output.deadChannels.length,
          channels: output.channelMeans.length,
          gradient: gradients?.output ?? 0,
        }));
      } finally {
        dispose(x);
      }
    },

    dispose() {
      net.dispose();
      optimizer.dispose();
    },
  };
}
