// Weights that a seed gives, computed on the host: the same bits on every backend and engine.
import { tensor } from '@tensorflow/tfjs-core';
import type { layers, LayersModel } from '@tensorflow/tfjs-layers';
import { expect, random, type Random } from '@evenkeel/core';
import type { LayerVariable } from '../keras.ts';
import { shortName } from '../replace-norm/leaves.ts';
import { modelWeights } from './freeze.ts';
import { assign, weightOf, type ModelWeight } from './weights.ts';

/** How kernels begin: normal of variance 2 / inputs, the signs of these times their deviation, or orthogonal columns. */
export type KernelStart = 'kaimingNormal' | 'binary' | 'orthogonal';

/** How gamma and beta begin: U(0, 1) and 0; 1 and 0; 1 and 1; U(-1, 1) and 0. */
export type NormStart = 'uniform' | 'fixed' | 'oneone' | 'positivenegative';

export interface Seeding {
  /** An integer >= 0. */
  readonly seed: number;
  /** Default 'kaimingNormal'. */
  readonly kernels?: KernelStart;
  /** Default 'uniform'. */
  readonly norms?: NormStart;
}

const KERNELS: readonly KernelStart[] = ['kaimingNormal', 'binary', 'orthogonal'];
const NORMS: readonly NormStart[] = ['uniform', 'fixed', 'oneone', 'positivenegative'];

const sizeOf = (shape: readonly number[]): number => shape.reduce((product, length) => product * length, 1);

/** How many inputs an output of a kernel has. In a depthwise convolution each has one channel of them. */
function inputsOf(layer: layers.Layer, shape: readonly number[]): number {
  return sizeOf(layer.getClassName() === 'DepthwiseConv2D' ? shape.slice(0, -2) : shape.slice(0, -1));
}

/** Makes the columns of a matrix, rows * columns numbers, orthonormal, one after the other (modified Gram-Schmidt), in double precision. */
function orthonormalize(matrix: Float64Array, rows: number, columns: number): void {
  for (let j = 0; j < columns; j++) {
    for (let k = 0; k < j; k++) {
      let along = 0;
      for (let i = 0; i < rows; i++) along += matrix[i * columns + j]! * matrix[i * columns + k]!;
      for (let i = 0; i < rows; i++) matrix[i * columns + j]! -= along * matrix[i * columns + k]!;
    }
    let squares = 0;
    for (let i = 0; i < rows; i++) squares += matrix[i * columns + j]! ** 2;
    const length = Math.sqrt(squares);
    for (let i = 0; i < rows; i++) matrix[i * columns + j]! /= length;
  }
}

/** Orthonormal columns or, where there are more columns than rows, rows. */
function orthogonal(normal: Float32Array, rows: number, columns: number): Float64Array {
  const wide = columns > rows;
  const [m, n] = wide ? [columns, rows] : [rows, columns];
  const matrix = Float64Array.from(normal);
  orthonormalize(matrix, m, n);
  return wide ? Float64Array.from(matrix, (_, at) => matrix[(at % columns) * n + Math.floor(at / columns)]!) : matrix;
}

function kernelOf(sequence: Random, start: KernelStart, inputs: number, size: number): Float32Array {
  const normal = sequence.normal(size);
  if (start === 'orthogonal') return Float32Array.from(orthogonal(normal, inputs, size / inputs));
  const deviation = Math.sqrt(2 / inputs);
  const scaled = normal.map((value) => value * deviation);
  if (start === 'kaimingNormal') return scaled;
  // Of the sample, as PyTorch has it: n - 1.
  const mean = scaled.reduce((sum, value) => sum + value, 0) / size;
  const found = Math.sqrt(scaled.reduce((sum, value) => sum + (value - mean) ** 2, 0) / Math.max(1, size - 1));
  return scaled.map((value) => Math.sign(value) * found);
}

function gammaOf(sequence: Random, start: NormStart, size: number): Float32Array {
  if (start === 'uniform') return sequence.uniform(size);
  return start === 'positivenegative' ? sequence.uniform(size).map((value) => 2 * value - 1) : new Float32Array(size).fill(1);
}

/** The value that a seed gives a weight; undefined for one of a kind that it gives none to, such as the slope of a PReLU. */
function valueOf({ name, group, layer, variable }: ModelWeight, { seed, kernels, norms }: Required<Seeding>): Float32Array | undefined {
  const shape = variable.shape as number[];
  const size = sizeOf(shape);
  const sequence = random(seed).stream('weights').stream(name);
  const short = shortName(variable);
  if (group === 'norms') {
    if (short === 'gamma' || short === 'scale') return gammaOf(sequence, norms, size);
    return short === 'beta' ? new Float32Array(size).fill(norms === 'oneone' ? 1 : 0) : undefined;
  }
  if (shape.length >= 2) return kernelOf(sequence, kernels, inputsOf(layer, shape), size);
  const kernel: LayerVariable | undefined = short === 'bias' ? weightOf(layer, 'kernel') : undefined;
  if (kernel === undefined) return undefined;
  const bound = 1 / Math.sqrt(inputsOf(layer, kernel.shape as number[]));
  return sequence.uniform(size).map((value) => (2 * value - 1) * bound);
}

/** All values that a seed gives in a model, one after the other: a large model has many. */
export function* seededValues(model: LayersModel, seeding: Required<Seeding>): Generator<{ weight: ModelWeight; values: Float32Array }> {
  for (const weight of modelWeights(model)) {
    const values = valueOf(weight, seeding);
    if (values) yield { weight, values };
  }
}

const seedings = new WeakMap<LayersModel, Required<Seeding>>();

/** What a model was seeded with. */
export const seedingOf = (model: LayersModel): Required<Seeding> | undefined => seedings.get(model);

/** A seeding with its defaults, checked. */
export function completeSeeding(op: string, { seed, kernels = 'kaimingNormal', norms = 'uniform' }: Seeding): Required<Seeding> {
  expect(Number.isSafeInteger(seed) && seed >= 0, op, 'seed', 'an integer >= 0', seed);
  expect(KERNELS.includes(kernels), op, 'kernels', `one of ${KERNELS.join(', ')}`, kernels);
  expect(NORMS.includes(norms), op, 'norms', `one of ${NORMS.join(', ')}`, norms);
  return { seed, kernels, norms };
}

/**
 * Gives a model the weights that a seed stands for, the same bits on every backend and engine: kernels of variance 2 / inputs, biases
 * U(-1 / sqrt(inputs), 1 / sqrt(inputs)), gamma U(0, 1) and beta 0, unless told otherwise. Each weight has a sequence of its own, by the
 * names of its layers. Running statistics, and weights of other kinds, stay.
 *
 * @throws EvenkeelError INVALID_ARGUMENT for an option out of range
 *
 * Source: He et al. 2015, "Delving Deep into Rectifiers", for kernels; Frankle, Schwab, Morcos 2021 for gamma and beta.
 *
 * @example
 * seedWeights(model, { seed: 1 });
 */
export function seedWeights(model: LayersModel, seeding: Seeding): void {
  const complete = completeSeeding('seedWeights', seeding);
  for (const { weight, values } of seededValues(model, complete)) {
    const value = tensor(values, weight.variable.shape as number[]);
    assign(weight.variable, value);
    value.dispose();
  }
  seedings.set(model, complete);
}
