import '../../../../tools/test-backends.ts';
import { memory, randomNormal, tensor2d, type Tensor } from '@tensorflow/tfjs-core';
import { initializers, input, layers, model as functional, sequential, type LayersModel } from '@tensorflow/tfjs-layers';
import { backend, isEvenkeelError } from '@evenkeel/core';
import { beforeAll, describe, expect, test } from 'vitest';
import { findScaleInvariant, type ScaleInvariantReport } from './index.ts';

const init = (seed: number) => initializers.heNormal({ seed });
const conv = (filters: number, seed: number, more: object = {}) =>
  layers.conv2d({ filters, kernelSize: 3, padding: 'same', useBias: false, kernelInitializer: init(seed), ...more });
const norm = (more: object = {}) => layers.batchNormalization({ epsilon: 1e-5, ...more });
const relu = () => layers.activation({ activation: 'relu' });
const x = (...shape: number[]): Tensor => randomNormal(shape, 0, 1, 'float32', 7);

/** Graph, probe and cosine test of each weight, in order. */
const told = (reports: readonly ScaleInvariantReport[]): string[] =>
  reports.map(({ graph, probe, cosineTest }) => `${graph} ${probe} ${cosineTest}`);

function stack(shape: number[], ...all: layers.Layer[]): LayersModel {
  const made = sequential();
  made.add(layers.inputLayer({ inputShape: shape }));
  for (const layer of all) made.add(layer);
  return made;
}

/** Of a dense layer with a bias, and what follows. */
const biased = (after: layers.Layer[]) => {
  const first = layers.dense({
    units: 6,
    kernelInitializer: init(1),
    biasInitializer: initializers.randomNormal({ mean: 0, stddev: 2, seed: 5 }),
  });
  return findScaleInvariant(stack([5], first, ...after, layers.dense({ units: 2, kernelInitializer: init(2) })), { inputs: x(32, 5) });
};

describe('findScaleInvariant', () => {
  beforeAll(() => backend('wasm'));

  test('convolutions before batch norm are, the classifier is not, by graph, by trying and by the cosine', async () => {
    const net = stack(
      [8, 8, 3],
      conv(6, 1),
      norm(),
      relu(),
      conv(8, 2),
      layers.maxPooling2d({ poolSize: 2 }),
      norm(),
      relu(),
      layers.globalAveragePooling2d({}),
      layers.dense({ units: 4, kernelInitializer: init(3) }),
    );
    const reports = await findScaleInvariant(net, { inputs: x(16, 8, 8, 3) });
    expect(told(reports)).toEqual(['channel channel channel', 'channel channel channel', 'none none none']);
    expect(reports.map(({ shape }) => shape)).toEqual([
      [3, 3, 3, 6],
      [3, 3, 6, 8],
      [8, 4],
    ]);
    const [first, , dense] = reports.map(({ cosines }) => cosines!);
    expect(first!.row).toBeLessThan(0.02);
    expect(dense!.row).toBeGreaterThan(0.1);
  });

  test('a bias is taken out by a mean of the same channel, and by nothing else', async () => {
    expect(told(await biased([norm()]))[0]).toMatch(/^channel channel/);
    expect(told(await biased([relu(), norm()]))[0]).toMatch(/^none none/);
    expect(told(await biased([layers.layerNormalization({ epsilon: 1e-6 })]))[0]).toMatch(/^none none/);
  });

  test('layer norm makes the whole invariant, and each token of an embedding', async () => {
    const dense = stack(
      [5],
      layers.dense({ units: 6, useBias: false, kernelInitializer: init(1) }),
      layers.layerNormalization({ epsilon: 1e-6 }),
      layers.dense({ units: 2, kernelInitializer: init(2) }),
    );
    expect(told(await findScaleInvariant(dense, { inputs: x(16, 5) }))[0]).toBe('layer layer layer');
    const tokens = sequential();
    tokens.add(layers.embedding({ inputDim: 7, outputDim: 6, inputLength: 3, embeddingsInitializer: init(4) }));
    tokens.add(layers.layerNormalization({ epsilon: 1e-9 }));
    tokens.add(layers.flatten());
    tokens.add(layers.dense({ units: 2, kernelInitializer: init(2) }));
    const ids = tensor2d([0, 1, 2, 3, 4, 5, 6, 1, 2], [3, 3]);
    expect(told(await findScaleInvariant(tokens, { inputs: ids }))[0]).toBe('channel channel channel');
  });

  test('depthwise kernels by channel, separable ones as a whole', async () => {
    const net = stack(
      [6, 6, 3],
      layers.depthwiseConv2d({ kernelSize: 3, depthMultiplier: 2, useBias: false, depthwiseInitializer: init(1) }),
      norm(),
      layers.separableConv2d({ filters: 5, kernelSize: 3, useBias: false, depthwiseInitializer: init(2), pointwiseInitializer: init(3) }),
      norm(),
      layers.flatten(),
      layers.dense({ units: 2, kernelInitializer: init(4) }),
    );
    const reports = told(await findScaleInvariant(net, { inputs: x(16, 6, 6, 3) }));
    expect(reports.map((each) => each.split(' ').slice(0, 2).join(' '))).toEqual([
      'channel channel',
      'layer layer',
      'channel channel',
      'none none',
    ]);
  });

  test('a way past the norm spoils it', async () => {
    const start = input({ shape: [5] });
    const hidden = layers.dense({ units: 5, useBias: false, kernelInitializer: init(1) }).apply(start);
    const joined = layers.add().apply([hidden, norm().apply(hidden)] as never[]);
    const net = functional({ inputs: start, outputs: layers.dense({ units: 2, kernelInitializer: init(2) }).apply(joined) as never });
    expect(told(await findScaleInvariant(net, { inputs: x(16, 5) }))[0]).toMatch(/^none none/);
  });

  test('leaves weights, moving statistics and memory as they were, and needs no inputs for the graph', async () => {
    const net = stack([4, 4, 2], conv(3, 1), norm(), layers.flatten(), layers.dense({ units: 2 }));
    const values = async (): Promise<number[][]> => Promise.all(net.getWeights().map(async (each) => [...(await each.data())]));
    const inputs = x(8, 4, 4, 2);
    const [before, tensors] = [await values(), memory().numTensors];
    await findScaleInvariant(net, { inputs });
    expect(await values()).toEqual(before);
    expect(memory().numTensors).toBe(tensors);
    const [first] = await findScaleInvariant(net);
    expect([first!.graph, first!.probe]).toEqual(['channel', undefined]);
  });

  test('refuses dropout and wrong options', async () => {
    const net = stack([4], layers.dense({ units: 3 }), layers.dropout({ rate: 0.5 }), layers.dense({ units: 2 }));
    const refusal = (options: object): Promise<unknown> => findScaleInvariant(net, options).catch((error: unknown) => error);
    for (const [options, argument] of [
      [{ inputs: x(8, 4) }, 'model'],
      [{ delta: 0 }, 'delta'],
      [{ tolerance: Number.NaN }, 'tolerance'],
    ] as const) {
      const error = await refusal(options);
      expect(isEvenkeelError(error, 'INVALID_ARGUMENT') && error.argument).toBe(argument);
    }
  });
});
