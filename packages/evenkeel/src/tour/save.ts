// The trained model as a file: written whole or not at all, and read back.
import { randomUUID } from 'node:crypto';
import { access, constants, mkdtemp, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { dispose } from '@tensorflow/tfjs-core';
import { EvenkeelError, readSafetensors, throwIfAborted, toTensors, writeSafetensors } from '@evenkeel/core';
import { CLASSES, type Digits } from './digits.ts';
import { LAYERS, normalizations, type Weights } from './network.ts';
import { predict } from './train.ts';

export interface Saved {
  readonly file: string;
  /** Whether the file is still there. */
  readonly kept: boolean;
  readonly bytes: number;
  readonly tensors: number;
  /** Digits whose predictions were compared. */
  readonly predictions: number;
  /** Whether the loaded model's logits are those of the trained one, bit by bit. */
  readonly bitEqual: boolean;
}

/** Throws unless a file can be written there: before the training, not after it. */
export async function checkTarget(out: string): Promise<void> {
  const refuse = (reason: string, cause?: unknown): never => {
    throw new EvenkeelError('INVALID_ARGUMENT', `out is '${out}': ${reason}`, { op: 'tour', argument: 'out', cause });
  };
  const folder = dirname(resolve(out));
  const found = await stat(out).catch(() => undefined);
  if (found !== undefined && !found.isFile()) refuse('there is something there that is not a file');
  await access(folder, constants.W_OK).catch((error: unknown) =>
    refuse(`the folder ${folder} is not there, or not to be written to`, error),
  );
}

/** Writes a file beside its place first: whatever happens, the place holds the old file, or the new one, or none; never half of one. */
export async function writeAtomically(file: string, bytes: Uint8Array, signal: AbortSignal | undefined): Promise<void> {
  const unfinished = `${file}.${randomUUID()}.unfinished`;
  try {
    await writeFile(unfinished, bytes);
    throwIfAborted(signal, 'tour');
    await rename(unfinished, file);
  } catch (error) {
    await rm(unfinished, { force: true });
    throw error;
  }
}

function sameBits(a: Float32Array, b: Float32Array): boolean {
  const [first, second] = [a, b].map(({ buffer, byteOffset, byteLength }) => new Uint8Array(buffer, byteOffset, byteLength));
  return Buffer.compare(first!, second!) === 0;
}

/**
 * Writes the model, reads it again, and predicts anew.
 *
 * @param predicted - logits of the trained model for the first digits
 * @param out - where the file is kept; without it it is temporary
 */
export async function saveAndLoad(
  trained: Weights,
  predicted: Float32Array,
  digits: Digits,
  out: string | undefined,
  signal: AbortSignal | undefined,
): Promise<Saved> {
  const temporary = out === undefined ? await mkdtemp(join(tmpdir(), 'evenkeel-')) : undefined;
  const file = out === undefined ? join(temporary!, 'model.safetensors') : resolve(out);
  const predictions = predicted.length / CLASSES;
  try {
    await writeAtomically(file, writeSafetensors(trained, { model: 'evenkeel tour', layers: LAYERS }), signal);
    const bytes = await readFile(file);
    const loaded = toTensors(readSafetensors(bytes).tensors);
    try {
      const again = await predict(loaded, normalizations.fused, digits, predictions, signal);
      const tensors = Object.keys(loaded).length;
      return { file, kept: temporary === undefined, bytes: bytes.byteLength, tensors, predictions, bitEqual: sameBits(predicted, again) };
    } finally {
      dispose(loaded);
    }
  } finally {
    if (temporary !== undefined) await rm(temporary, { recursive: true });
  }
}
