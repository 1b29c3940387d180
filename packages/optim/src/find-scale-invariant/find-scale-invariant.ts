import { clone, tidy, type Variable } from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { expect } from '@evenkeel/core';
import { byCosines, cosinesOf, rowsOf, type Cosines } from './cosine.ts';
import { byGraph, variableOf, type Invariance } from './graph.ts';
import { byProbe, gradientsOf, type ModelInputs } from './probe.ts';

/** Options of {@link findScaleInvariant}. */
export interface FindScaleInvariantOptions {
  /** What the model is tried with: a batch of its inputs. Without it only its graph is read. */
  inputs?: ModelInputs;
  /** The threshold of the cosine test, as optimizers take it. Default 0.1. */
  delta?: number;
  /** How far outputs may move, relatively, when a weight is scaled: an epsilon in a norm moves them a little. Default 0.05. */
  tolerance?: number;
}

/** What is known of one weight. */
export interface ScaleInvariantReport {
  /** The variable's name. */
  readonly name: string;
  readonly shape: readonly number[];
  /** By the layers that follow. */
  readonly graph: Invariance;
  /** By what happened to the outputs when the weight was scaled. */
  readonly probe?: Invariance;
  /** By the test of AdamP and SGDP, at this batch: what they would project. */
  readonly cosineTest?: Invariance;
  /** |cos(weight, gradient)| sqrt(elements), the largest of all rows and that of the whole; below delta it counts as invariant. */
  readonly cosines?: Cosines;
}

/**
 * Tells which weights of a model may be multiplied by a factor without a change of its outputs, since a norm follows: those that AdamP and
 * SGDP project. In three ways: by the graph, by trying it, and by the cosine test that the optimizers make at every step.
 *
 * They may differ: the graph knows only layers by their names and is careful; a bias that is zero, as at the start of a training, does not
 * hinder the probe; the cosine test looks at one batch and can take a weight for invariant by chance, the more so the fewer its elements. An
 * epsilon that is not small against the variance makes all weights a little less than invariant.
 *
 * @param model - built; its weights and moving statistics are the same afterwards
 * @returns a report for each weight of rank 2 or more that can be trained
 * @throws EvenkeelError INVALID_ARGUMENT for a delta or tolerance <= 0, or a model whose training is random (dropout)
 *
 * Source: Heo et al. 2021, "AdamP: Slowing Down the Slowdown for Momentum Optimizers on Scale-invariant Weights", sections 2 and 4.
 *
 * @example
 * for (const { name, graph, probe, cosineTest } of await findScaleInvariant(model, { inputs: batch })) {
 *   console.log(name, graph, probe, cosineTest); // conv2d_Conv2D1/kernel channel channel channel
 * }
 */
export async function findScaleInvariant(
  model: LayersModel,
  { inputs, delta = 0.1, tolerance = 0.05 }: FindScaleInvariantOptions = {},
): Promise<ScaleInvariantReport[]> {
  expect(delta > 0 && delta < Infinity, 'findScaleInvariant', 'delta', 'a number > 0', delta);
  expect(tolerance > 0 && tolerance < Infinity, 'findScaleInvariant', 'tolerance', 'a number > 0', tolerance);
  const graph = byGraph(model);
  const weights = new Map<string, Variable>();
  for (const variable of model.trainableWeights.map(variableOf)) if (graph.has(variable.name)) weights.set(variable.name, variable);
  const told = [...weights].map(([name, { shape }]) => ({ name, shape: [...shape], graph: graph.get(name)! }));
  if (inputs === undefined) return told;
  // Norms move their statistics in training.
  const before = tidy(() => model.getWeights().map((each) => clone(each)));
  try {
    const probe = await byProbe(model, inputs, weights, tolerance);
    const gradients = await gradientsOf(model, inputs, weights);
    const reports: ScaleInvariantReport[] = [];
    for (const each of told) {
      const values = Float32Array.from(await weights.get(each.name)!.data());
      const cosines = cosinesOf(rowsOf(each.name, each.shape), values, gradients.get(each.name)!);
      reports.push({ ...each, probe: probe.get(each.name)!, cosineTest: byCosines(cosines, delta), cosines });
    }
    return reports;
  } finally {
    model.setWeights(before);
    for (const each of before) each.dispose();
  }
}
