// Whether a folded model computes the same.
import { dispose, tensor, tidy, type Tensor } from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { EvenkeelError, random } from '@evenkeel/core';
import { graphOf } from './graph.ts';

/** How far an output of the folded model is from that of the model before. */
export interface OutputDifference {
  /** The name of the output. */
  readonly output: string;
  /** The largest |value| of the model before. */
  readonly largest: number;
  /** The largest |difference|. */
  readonly difference: number;
  /** difference / largest. */
  readonly relative: number;
}

const op = 'foldNorm';
const SAMPLES = 4;
/** What stands for lengths that the model leaves open. */
const LENGTH = 32;

/** How many tokens the embedding knows that reads an input; undefined where none does. */
function vocabularies(model: LayersModel): (number | undefined)[] {
  const { places } = graphOf(model);
  const sequential = model.getClassName() === 'Sequential';
  return model.inputs.map(({ sourceLayer }) => {
    // The layers of a Sequential model begin with the first that computes something, mostly.
    const readers = sequential ? places.slice(0, 2) : places.filter(({ sources }) => sources.some(({ layer }) => layer === sourceLayer));
    const embedding = readers.find(({ layer }) => layer.getClassName() === 'Embedding');
    return embedding?.layer.getConfig()['inputDim'] as number | undefined;
  });
}

/** Normal numbers, or tokens where an embedding reads them. */
export function randomBatch(model: LayersModel, seed: number): Tensor[] {
  const known = vocabularies(model);
  return model.inputs.map(({ shape, dtype }, i) => {
    const lengths = shape.map((length, axis) => length ?? (axis === 0 ? SAMPLES : LENGTH));
    const size = lengths.reduce((product, length) => product * length, 1);
    const stream = random(seed).stream(`input ${i}`);
    const tokens = known[i];
    if (tokens !== undefined) return tensor(stream.integers(size, tokens), lengths, dtype);
    if (dtype === 'float32') return tensor(stream.normal(size), lengths);
    const message = `input ${i} is ${dtype}, for which random numbers mean nothing: give a batch`;
    throw new EvenkeelError('INVALID_ARGUMENT', message, { op, argument: 'batch' });
  });
}

async function outputsOf(model: LayersModel, batch: Tensor[]): Promise<Float64Array[]> {
  const made = tidy(() => model.predict(batch.length === 1 ? batch[0]! : batch, { batchSize: batch[0]!.shape[0]! }));
  const tensors = Array.isArray(made) ? made : [made];
  try {
    const outputs: Float64Array[] = [];
    for (const one of tensors) outputs.push(Float64Array.from(await one.data()));
    return outputs;
  } finally {
    dispose(tensors);
  }
}

/** Compares what both models make of a batch; throws CHECK_FAILED where an output is off by more than `tolerance`. */
export async function verify(before: LayersModel, after: LayersModel, batch: Tensor[], tolerance: number): Promise<OutputDifference[]> {
  const wanted = await outputsOf(before, batch);
  const found = await outputsOf(after, batch);
  return wanted.map((values, i) => {
    const output = before.outputNames[i]!;
    if (!values.every(Number.isFinite)) {
      const message = `the model makes NaN or infinity of the batch (output ${output}), so that nothing can be compared`;
      throw new EvenkeelError('NON_FINITE', message, { op, argument: 'batch' });
    }
    const largest = values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    const difference = values.reduce((most, value, k) => {
      const off = Math.abs(value - found[i]![k]!);
      return off <= most ? most : off;
    }, 0);
    const relative = difference === 0 ? 0 : difference / largest;
    if (relative <= tolerance) return { output, largest, difference, relative };
    const message = `output ${output} of the folded model is off by ${difference} of ${largest}, expected at most ${tolerance} of it`;
    throw new EvenkeelError('CHECK_FAILED', message, { op, argument: 'tolerance' });
  });
}
