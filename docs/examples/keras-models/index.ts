import { io, tensor2d, type Tensor } from '@tensorflow/tfjs-core';
import { loadLayersModel } from '@tensorflow/tfjs-layers';
import { unregister, use } from '@evenkeel/core';
import { norms } from '@evenkeel/norms/plugin';

// What the converter writes of a Keras model: model.json and the weights. Usually `loadLayersModel('https://.../model.json')`.
const converted = io.fromMemory({
  modelTopology: {
    model_config: {
      class_name: 'Sequential',
      config: {
        name: 'sequential',
        layers: [{ class_name: 'RMSNormalization', config: { name: 'rms', axis: -1, epsilon: 1e-6, batch_input_shape: [null, 2] } }],
      },
    },
  },
  weightSpecs: [{ name: 'rms/scale', shape: [2], dtype: 'float32' }],
  weightData: new Float32Array([1, 2]).buffer,
});

export async function main() {
  use(norms); // Keras' class names now mean our layers
  const model = await loadLayersModel(converted);
  unregister(norms); // and tfjs' own again: the model that is loaded stays as it is
  const y = model.predict(tensor2d([[3, 4]])) as Tensor; // [1, 2]
  return { layer: model.layers.at(-1)!.getClassName(), y: await y.array() };
}
