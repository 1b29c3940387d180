// What the tests of all layers do with a model.
import '@tensorflow/tfjs-backend-cpu';
import { io, memory, randomNormal, train, type Tensor } from '@tensorflow/tfjs-core';
import { loadLayersModel, sequential, type layers, type LayersModel } from '@tensorflow/tfjs-layers';
import { wasm } from '@evenkeel/backend-wasm';
import { backend, isEvenkeelError, use, type EvenkeelError } from '@evenkeel/core';
import { beforeEach, expect } from 'vitest';

/** Where layers are tested: tfjs-layers' own training loop reads synchronously, which webgpu cannot in Node. */
export const backends = ['cpu', 'wasm'];

// tfjs' initializers take their seeds from Math.random: with seeds of their own in every run, a loss that is to fall would, once in many runs, not.
beforeEach(() => {
  let state = 1;
  Math.random = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
});

export async function start(name: string): Promise<void> {
  if (name !== 'cpu') use(wasm());
  await backend(name);
}

/** The error that `action` throws, which must be one of ours. */
export async function failure(action: () => unknown): Promise<EvenkeelError> {
  try {
    await action();
  } catch (error) {
    if (isEvenkeelError(error)) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}

export async function values(x: Tensor): Promise<number[]> {
  return Array.from(await x.data());
}

export async function expectClose(found: Tensor, wanted: Tensor, tolerance = 1e-5): Promise<void> {
  expect(found.shape).toEqual(wanted.shape);
  const [a, b] = [await values(found), await values(wanted)];
  const worst = Math.max(...a.map((value, i) => Math.abs(value - b[i]!) / (1 + Math.abs(b[i]!))));
  expect(worst).toBeLessThanOrEqual(tolerance);
}

/** Numbers that look random and are the same everywhere. */
export function numbers(shape: number[], seed = 1): Tensor {
  return randomNormal(shape, 0, 1, 'float32', seed);
}

/** A model of one layer. */
export function modelOf(layer: layers.Layer): LayersModel {
  const model = sequential();
  model.add(layer);
  return model;
}

/** Saves a model and loads it again. */
export async function saveAndLoad(model: LayersModel): Promise<LayersModel> {
  let saved: io.ModelArtifacts | undefined;
  await model.save(
    io.withSaveHandler((artifacts) => {
      saved = artifacts;
      return Promise.resolve({ modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: 'JSON' } });
    }),
  );
  return loadLayersModel(io.fromMemory(saved!));
}

/** Fits the model to random targets and returns the losses of `steps` steps. */
export async function losses(model: LayersModel, x: Tensor, steps: number, learningRate = 0.1): Promise<number[]> {
  model.compile({ optimizer: train.sgd(learningRate), loss: 'meanSquaredError' });
  const y = numbers([x.shape[0]!, ...(model.outputs[0]!.shape.slice(1) as number[])], 7);
  const { history } = await model.fit(x, y, { epochs: steps, batchSize: x.shape[0]!, shuffle: false, verbose: 0 });
  return history['loss'] as number[];
}

/** What `summary` prints. */
export function summary(model: LayersModel): string {
  const lines: string[] = [];
  model.summary(80, undefined, (line: string) => lines.push(line));
  return lines.join('\n');
}

/** A model as the converter of Keras models writes it: topology in Keras' own spelling, weights by Keras' names. */
export function kerasModel(
  inputShape: number[],
  className: string,
  config: Record<string, unknown>,
  weights: Record<string, number[]>,
): io.IOHandler {
  const name = 'normalization';
  const data = Object.values(weights).flat();
  return io.fromMemory({
    modelTopology: {
      keras_version: '3.9.0',
      backend: 'tensorflow',
      model_config: {
        class_name: 'Sequential',
        config: {
          name: 'sequential',
          layers: [
            {
              class_name: 'InputLayer',
              config: { batch_input_shape: [null, ...inputShape], dtype: 'float32', sparse: false, name: 'input' },
            },
            { class_name: className, config: { name, trainable: true, dtype: 'float32', ...config } },
          ],
        },
      },
    },
    weightSpecs: Object.entries(weights).map(([weight, { length }]) => ({
      name: `${name}/${weight}`,
      shape: [length],
      dtype: 'float32' as const,
    })),
    weightData: new Float32Array(data).buffer,
  });
}

/** Expects that `action` leaves no tensor behind, once it has run before. */
export async function expectNoLeak(action: () => unknown): Promise<void> {
  await action();
  const before = memory().numTensors;
  await action();
  expect(memory().numTensors).toBe(before);
}

/** The model with the same kernels in every run. */
export function seeded<M extends LayersModel>(model: M): M {
  model.setWeights(model.getWeights().map((weight, i) => (weight.rank > 1 ? numbers(weight.shape, i + 1) : weight)));
  return model;
}
