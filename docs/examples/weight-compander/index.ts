import { abs, max, sub, tensor1d, tensor2d, type Tensor } from '@tensorflow/tfjs-core';
import { initializers, layers, sequential } from '@tensorflow/tfjs-layers';
import { applyCompander, compand, inspectCompander, removeCompander } from '@evenkeel/optim/weight-compander';

export async function main() {
  // The function itself: twice as steep as a line at 0, and never beyond 1.26.
  const curve = applyCompander(tensor1d([-4, -2, -1, -0.5, -0.25, 0, 0.25, 0.5, 1, 2, 4]), 0.8, 0.4);

  // A model whose kernels are companded; with init 'max' it computes what it did.
  const kernelInitializer = initializers.randomNormal({ stddev: 0.5, seed: 1 });
  const model = sequential({ layers: [layers.dense({ units: 3, kernelInitializer, name: 'only', inputShape: [2] })] });
  const { model: bounded, companded } = compand(model, { init: 'max' });

  const x = tensor2d([
    [1, 0],
    [0.5, -1],
  ]);
  const changed = max(abs(sub(model.predict(x) as Tensor, bounded.predict(x) as Tensor)));

  // How steep the function is where the weights are. Train `bounded` now; for inference the way back:
  const [report] = await inspectCompander(bounded);
  const plain = removeCompander(bounded);
  return {
    curve: [...(await curve.data())],
    companded,
    changed: (await changed.data())[0],
    slope: report!.slope,
    saturated: report!.saturated,
    layers: [bounded, plain].map((each) => each.layers[0]!.getClassName()),
    parameters: [bounded, plain].map((each) => each.countParams()),
  };
}
