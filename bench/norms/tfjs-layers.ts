import { tensor, type Tensor } from '@tensorflow/tfjs-core';
import { layers } from '@tensorflow/tfjs-layers';
import type { Arm } from '../harness/arm.ts';
import { stock, switchTo } from './backends.ts';
import { EPSILON, type BackendName, type Case } from './cases.ts';
import { tfjsArm } from './tfjs.ts';

/** tfjs-layers' own layer, called as a model in training calls it. It has no layer for the other ops. */
export async function tfjsLayers(which: Case, backend: BackendName): Promise<Arm | undefined> {
  const { op, shape, data } = which;
  if (op !== 'layerNorm' && op !== 'batchNorm') return undefined;
  await switchTo(stock(backend));
  const layer =
    op === 'layerNorm'
      ? layers.layerNormalization({ axis: -1, epsilon: EPSILON })
      : layers.batchNormalization({ axis: -1, epsilon: EPSILON });
  layer.build([...shape]);
  const channels = [shape.at(-1)!];
  const parameters = [tensor(data.gamma, channels), tensor(data.beta, channels)];
  // Batch normalization also has moving statistics, the last two.
  layer.setWeights([...parameters, ...layer.getWeights().slice(2)]);
  for (const parameter of parameters) parameter.dispose();
  return tfjsArm('tfjs-layers', which, stock(backend), ({ x }) => layer.apply(x, { training: true }) as Tensor, {
    trainable: layer.trainableWeights.map((weight) => weight.read()),
    // Not layer.dispose(): it refuses a layer that is in no model.
    free: () => {
      for (const weight of layer.weights) weight.dispose();
    },
  });
}
