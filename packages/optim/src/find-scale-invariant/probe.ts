// What really happens to the outputs when a weight is scaled.
import { concat, mul, reshape, sum, tensor, tidy, variableGrads, type Scalar, type Tensor, type Variable } from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { EvenkeelError } from '@evenkeel/core';
import { rowAt, rowsOf } from './cosine.ts';
import type { Invariance } from './graph.ts';

export type ModelInputs = Tensor | Tensor[];

/** All outputs in a row, as in training: norms use the statistics of the batch. */
function outputs(model: LayersModel, inputs: ModelInputs): Tensor {
  const found = [model.apply(inputs, { training: true }) as Tensor | Tensor[]].flat();
  return concat(found.map((each) => reshape(each, [-1])));
}

async function read(compute: () => Tensor): Promise<Float32Array> {
  const result = tidy(compute);
  const values = Float32Array.from(await result.data());
  result.dispose();
  return values;
}

/** |a - b| / |b| */
function distance(a: Float32Array, b: Float32Array): number {
  let [difference, norm] = [0, 0];
  b.forEach((value, i) => {
    difference += (a[i]! - value) ** 2;
    norm += value * value;
  });
  return Math.sqrt(difference) / Math.max(Math.sqrt(norm), 1e-12);
}

/** How far outputs are when the weight's elements are multiplied, each by its factor. */
async function moves(
  model: LayersModel,
  inputs: ModelInputs,
  weight: Variable,
  factor: (i: number) => number,
  base: Float32Array,
): Promise<number> {
  const values = Float32Array.from(await weight.data());
  const write = (changed: Float32Array): void => tidy(() => weight.assign(tensor(changed, weight.shape)));
  write(values.map((value, i) => value * factor(i)));
  try {
    return distance(await read(() => outputs(model, inputs)), base);
  } finally {
    write(values);
  }
}

/** By names of variables. The model's weights are as before when it is done; its moving statistics are for who calls to put back. */
export async function byProbe(
  model: LayersModel,
  inputs: ModelInputs,
  weights: ReadonlyMap<string, Variable>,
  tolerance: number,
): Promise<Map<string, Invariance>> {
  const base = await read(() => outputs(model, inputs));
  if (distance(await read(() => outputs(model, inputs)), base) > tolerance / 10) {
    throw new EvenkeelError('INVALID_ARGUMENT', 'model gives other outputs for the same inputs, expected no dropout or noise in training', {
      op: 'findScaleInvariant',
      argument: 'model',
    });
  }
  const found = new Map<string, Invariance>();
  for (const [name, weight] of weights) {
    const layout = rowsOf(name, weight.shape);
    const change = (factor: (i: number) => number): Promise<number> => moves(model, inputs, weight, factor, base);
    // What has no influence at all is no evidence. The signs follow no axis.
    const matters = (await change((i) => (((i * i + 3 * i) >> 1) % 3 === 0 ? -1 : 1))) > tolerance;
    const byRow = matters && (await change((i) => 2 + (rowAt(layout, i) % 3))) <= tolerance;
    const asOne = byRow || (matters && (await change(() => 3)) <= tolerance);
    found.set(name, byRow ? 'channel' : asOne ? 'layer' : 'none');
  }
  return found;
}

/** Gradients of a sum of the outputs with fixed, uneven factors. */
export async function gradientsOf(
  model: LayersModel,
  inputs: ModelInputs,
  weights: ReadonlyMap<string, Variable>,
): Promise<Map<string, Float32Array>> {
  const { grads, value } = variableGrads(() => {
    const y = outputs(model, inputs);
    return sum(mul(y, tensor(Float32Array.from({ length: y.size }, (_, i) => Math.sin(1.7 * i + 0.3))))) as Scalar;
  }, [...weights.values()]);
  value.dispose();
  const found = new Map<string, Float32Array>();
  for (const [name, weight] of weights) {
    const gradient = grads[weight.name];
    found.set(name, gradient ? Float32Array.from(await gradient.data()) : new Float32Array(weight.size));
  }
  for (const gradient of Object.values(grads)) gradient.dispose();
  return found;
}
