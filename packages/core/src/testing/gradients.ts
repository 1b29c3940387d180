// Gradients of a weighted sum of an op's outputs: by the tape, and by finite differences in double precision on the host.
import { add, grads, mul, sum, type Tensor } from '@tensorflow/tfjs-core';
import { arrayOf, readAll, uploadAll, type HostTensor, type HostTensors } from './host.ts';
import { seedOf, uniform } from './uniform.ts';

export type Tensors = Record<string, Tensor>;
/** An op, or its reference, with its attributes: tensors by name to outputs by name. */
export type Call = (inputs: Tensors) => Tensors;

/** Random numbers in [-1, 1), one for each element of the float32 tensors. */
export function weightsFor(tensors: HostTensors, salt: string): HostTensors {
  const weights: HostTensors = {};
  for (const [name, { shape, dtype, values }] of Object.entries(tensors)) {
    if (dtype !== 'float32') continue;
    const next = uniform(seedOf(`${salt}|${name}`));
    weights[name] = { shape, dtype, values: arrayOf(dtype, values.length, () => 2 * next() - 1) };
  }
  return weights;
}

/** Sum of all outputs times their weights. The zero terms keep inputs in the graph that nothing depends on. */
function weightedSum(outputs: Tensors, weights: Tensors, inputs: readonly Tensor[]): Tensor {
  const terms = [
    ...Object.entries(weights).map(([name, weight]) => sum(mul(outputs[name]!, weight))),
    ...inputs.map((x) => sum(mul(x, 0))),
  ];
  return terms.reduce((total, term) => add(total, term));
}

function tapeGradients(call: Call, inputs: Tensors, wrt: readonly string[], weights: Tensors): Tensors {
  const variables = wrt.map((name) => inputs[name]!);
  const found = grads((...xs: Tensor[]) => {
    const replaced = Object.fromEntries(wrt.map((name, i) => [name, xs[i]!]));
    return weightedSum(call({ ...inputs, ...replaced }), weights, xs);
  })(variables);
  return Object.fromEntries(wrt.map((name, i) => [name, found[i]!]));
}

/** Runs `work` on uploaded inputs and weights and frees them. */
async function uploaded<T>(inputs: HostTensors, weights: HostTensors, work: (inputs: Tensors, weights: Tensors) => Promise<T>): Promise<T> {
  const [x, w] = [uploadAll(inputs), uploadAll(weights)];
  try {
    return await work(x, w);
  } finally {
    for (const each of [...Object.values(x), ...Object.values(w)]) each.dispose();
  }
}

/** Gradients of the weighted sum by the tape. */
export function gradientsOf(call: Call, inputs: HostTensors, wrt: readonly string[], weights: HostTensors): Promise<HostTensors> {
  return uploaded(inputs, weights, (x, w) => readAll(tapeGradients(call, x, wrt, w)));
}

/** Gradients of the sum of all gradients times `seconds`: products of the Hessian with a vector. */
export function secondGradientsOf(
  call: Call,
  inputs: HostTensors,
  wrt: readonly string[],
  weights: HostTensors,
  seconds: HostTensors,
): Promise<HostTensors> {
  return uploaded(inputs, weights, (x, w) =>
    uploaded({}, seconds, (_, u) => readAll(tapeGradients((inner) => tapeGradients(call, inner, wrt, w), x, wrt, u))),
  );
}

/** The weighted sum in double precision, and how large its terms are. */
function hostSum(outputs: HostTensors, weights: HostTensors): { total: number; size: number } {
  let total = 0;
  let squares = 0;
  for (const [name, { values: w }] of Object.entries(weights)) {
    const { values } = outputs[name]!;
    for (let i = 0; i < w.length; i++) {
      const term = w[i]! * values[i]!;
      total += term;
      squares += term * term;
    }
  }
  return { total, size: Math.sqrt(squares) };
}

/** Float32 forwards carry about this error for each unit of their size into a difference quotient, times the step. */
const ROUNDING = 4e-7;
/** Outputs smaller than this are taken for as large: where all are 0, what they are made of is not, and rounds. */
const LEAST_SIZE = 0.01;

/**
 * Compares the gradient of one input with finite differences along a direction: (8 (L(h) - L(-h)) - (L(2h) - L(-2h))) / 12h, of fourth order.
 * The direction has the gradient's signs, so that its terms add up and an error of a few per cent cannot hide in a sum near zero.
 *
 * @returns what is wrong, or undefined
 */
export async function differs(
  name: string,
  gradient: HostTensor,
  inputs: HostTensors,
  weights: HostTensors,
  step: number,
  tolerance: number,
  evaluate: (inputs: HostTensors) => Promise<HostTensors>,
): Promise<string | undefined> {
  const next = uniform(seedOf(`direction|${name}`));
  const direction = Array.from(gradient.values, (slope) => {
    const length = 0.5 + next() / 2;
    return (slope === 0 ? next() < 0.5 : slope < 0) ? -length : length;
  });
  const analytic = direction.reduce((total, along, i) => total + along * gradient.values[i]!, 0);
  const { shape, dtype, values } = inputs[name]!;
  let largest = LEAST_SIZE;
  const at = async (distance: number): Promise<number> => {
    const moved = arrayOf(dtype, values.length, (i) => values[i]! + distance * direction[i]!);
    const { total, size } = hostSum(await evaluate({ ...inputs, [name]: { shape, dtype, values: moved } }), weights);
    largest = Math.max(largest, size);
    return total;
  };
  const near = (await at(step)) - (await at(-step));
  const far = (await at(2 * step)) - (await at(-2 * step));
  const numeric = (8 * near - far) / (12 * step);
  const error = Math.abs(analytic - numeric);
  if (error <= tolerance * Math.abs(numeric) + (ROUNDING * largest) / step) return undefined;
  // Per cent of next to nothing say nothing.
  const base = Math.max(Math.abs(numeric), Math.abs(analytic) / 100);
  return (
    `the gradient of ${name}, along a direction, is ${analytic.toPrecision(6)}, finite differences give ${numeric.toPrecision(6)}` +
    ` (${((100 * error) / base).toPrecision(2)} % off, tolerance ${100 * tolerance} %)`
  );
}
