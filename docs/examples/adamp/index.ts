import { div, neg, norm, sum, mul, tensor2d, variable, type Scalar } from '@tensorflow/tfjs-core';
import { initializers, layers, sequential } from '@tensorflow/tfjs-layers';
import { AdamP, cosineDecay, findScaleInvariant, SGDP, SGDW, warmUp } from '@evenkeel/optim';

/** Turns a vector towards a target, where only its direction matters; how long it is at the end. */
async function lengthAfter(optimizer: SGDW) {
  const target = tensor2d([[0], [0], [1]]);
  const w = variable(tensor2d([[1], [0], [0]]));
  for (let step = 0; step < 100; step++) optimizer.minimize(() => neg(div(sum(mul(w, target)), norm(w))) as Scalar, false, [w]);
  return Math.hypot(...(await w.data()));
}

const kernel = (seed: number) => ({ kernelInitializer: initializers.heNormal({ seed }) });

export async function main() {
  const options = { learningRate: 0.1, momentum: 0.9 };
  const lengths = { SGDW: await lengthAfter(new SGDW(options)), SGDP: await lengthAfter(new SGDP(options)) };

  // Which weights of a model does it concern? The graph tells, and so do the outputs for a batch.
  const model = sequential({
    layers: [
      layers.dense({ units: 4, useBias: false, inputShape: [2], name: 'hidden', ...kernel(1) }),
      layers.batchNormalization({ epsilon: 1e-5 }),
      layers.activation({ activation: 'relu' }),
      layers.dense({ units: 1, name: 'last', ...kernel(2) }),
    ],
  });
  const x = tensor2d([
    [0, 1],
    [1, -1],
    [2, 0.5],
    [-1, 2],
  ]);
  const found = await findScaleInvariant(model, { inputs: x });

  // Trains as with any optimizer of tfjs; the rate is a number that may change between steps.
  const optimizer = new AdamP({ learningRate: 0.01, weightDecay: 0.01 });
  const rate = warmUp(2, cosineDecay(0.01, 4));
  model.compile({ optimizer, loss: 'meanSquaredError' });
  return {
    lengths,
    invariant: found.map(({ graph, probe }) => [graph, probe]),
    rates: [0, 1, 2, 4, 6].map(rate),
  };
}
