import { dispose, tensor, type Tensor, type Variable } from '@tensorflow/tfjs-core';
import type { layers, LayersModel } from '@tensorflow/tfjs-layers';
import { EvenkeelError, expect } from '@evenkeel/core';
import { partsOf, shortName } from '../replace-norm/leaves.ts';
import { copyOf, copyWeights, rebuild } from '../replace-norm/rebuild.ts';
import type { FixedNorm } from './fixed-norm.ts';
import type { LinearLayer } from './linear-layer.ts';
import { planFolding, type FoldedLayer } from './plan.ts';
import { randomBatch, verify, type OutputDifference } from './verify.ts';

export interface FoldNormOptions {
  /** What both models are compared on: one tensor for each input. Left out: normal random numbers, and tokens for embeddings. */
  batch?: Tensor | Tensor[];
  /** Of the random batch. Default 1. */
  seed?: number;
  /** How far an output may be off, as a share of its largest absolute value. Default 1e-4. */
  tolerance?: number;
  /**
   * Whether gamma and beta of norms whose statistics are those of their input (layer, RMS, group, instance norm) go into the layers that read
   * them, too. Their statistics stay. Default false.
   */
  gains?: boolean;
  /** Says of norms that are not ours nor tfjs-layers' what they do in inference. Undefined: not known, or no norm. */
  fixedNorm?: (layer: layers.Layer) => FixedNorm | undefined;
}

export interface FoldReport {
  /** Each norm, in the order of the model. */
  readonly layers: readonly FoldedLayer[];
  /** Numbers that the models hold. */
  readonly parameters: { readonly before: number; readonly after: number };
  /** Numbers per sample that no norm reads and writes any more; a length that the model leaves open counts as 1. */
  readonly values: number;
  /** How far each output is off on the batch. */
  readonly outputs: readonly OutputDifference[];
}

export interface FoldedModel {
  readonly model: LayersModel;
  readonly report: FoldReport;
}

/** The configuration of a layer that a norm went into. Constraints and regularizers were for other weights. */
function changesFor(layer: layers.Layer, { bias }: LinearLayer): Record<string, boolean | null> {
  const keys = Object.keys(layer.getConfig()).filter((key) => /(kernel|bias|depthwise|pointwise)(Constraint|Regularizer)$/.test(key));
  const useBias = layer.getConfig()['useBias'] === true || bias.some((value) => value !== 0);
  return { ...Object.fromEntries(keys.map((key) => [key, null])), useBias };
}

function assign(layer: layers.Layer, { kernels, bias }: LinearLayer): void {
  const values = new Map([...kernels.map(({ name, values: kernel }) => [name, kernel] as const), ['bias', bias] as const]);
  for (const weight of layer.weights) {
    const made = tensor(Float32Array.from(values.get(shortName(weight))!), weight.shape as number[]);
    (weight.read() as Variable).assign(made);
    made.dispose();
  }
}

/**
 * A model for inference without the norms that are only a scale and a shift there: batch norm, L1 batch norm, unified norm, PowerNorm without
 * groups, EvoNorm without its nonlinearity, and what `fixedNorm` knows. Each goes into the dense layer or convolution before it, or else into
 * all that read it; kernels and biases are computed in float64. Dropout between them does not matter. The outputs of both models are compared
 * on a batch.
 *
 * A norm stays, and the report says why, where an activation is between, where the neighbour is used or read by others as well, where the model
 * returns what is between, and where a convolution behind it has borders (zero padding, transposed) and the norm a shift: at a border
 * the shift would count in part. Models inside of the model are folded each for itself.
 *
 * The new model is not compiled, is of the same kind (Sequential or functional) with the same names, and shares no weights; constraints and
 * regularizers of the changed kernels and biases are gone. The old one stays as it was. Training the new one is another thing: there are no
 * norms.
 *
 * A gamma of 0 gives a constant; a running variance of 0 counts as epsilon, as in the norm.
 *
 * @throws EvenkeelError CHECK_FAILED where outputs are off by more than `tolerance`, NON_FINITE where the model makes NaN or infinity of the
 * batch, INVALID_ARGUMENT for a model without inputs, a tolerance below 0, and an integer input without a batch; then nothing is left behind
 *
 * Source: algebra. In networks with batch norm: Jacob et al. 2018, "Quantization and Training of Neural Networks for Efficient
 * Integer-Arithmetic-Only Inference", section 3.2.
 *
 * @example
 * const { model, report } = await foldNorm(trained, { batch: images });
 * report.layers[0]; // { layer: 'bn1', className: 'BatchNormalization', result: 'folded', into: ['conv1'], reasons: [] }
 */
export async function foldNorm(model: LayersModel, options: FoldNormOptions = {}): Promise<FoldedModel> {
  const op = 'foldNorm';
  const { batch, seed = 1, tolerance = 1e-4, gains = false, fixedNorm } = options;
  expect(tolerance >= 0, op, 'tolerance', 'a number >= 0', tolerance);
  if (!model.inputs?.length) {
    throw new EvenkeelError('INVALID_ARGUMENT', 'model has no inputs, expected one whose input shape is known', { op, argument: 'model' });
  }
  const { dropped, stripped, changed, values, report } = await planFolding(model, { gains, fixedNorm });
  const make = (layer: layers.Layer): layers.Layer => {
    const weights = changed.get(layer);
    if (weights) return copyOf(layer, changesFor(layer, weights));
    return copyOf(layer, stripped.has(layer) ? { center: false, scale: false } : {});
  };
  const rebuilt = rebuild(model, make, dropped);
  let drawn: Tensor[] = [];
  try {
    for (const [layer, made] of rebuilt.layers) {
      const weights = changed.get(layer);
      if (weights) assign(made, weights);
      // The others hold these.
      else if (partsOf(layer).length === 0) copyWeights(layer, made);
    }
    if (batch === undefined) drawn = randomBatch(model, seed);
    const outputs = await verify(model, rebuilt.model, batch === undefined ? drawn : [batch].flat(), tolerance);
    const parameters = { before: model.countParams(), after: rebuilt.model.countParams() };
    return { model: rebuilt.model, report: { layers: report, parameters, values, outputs } };
  } catch (error) {
    rebuilt.model.dispose();
    throw error;
  } finally {
    dispose(drawn);
  }
}
