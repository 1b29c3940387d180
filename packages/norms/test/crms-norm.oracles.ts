// Computes the cases of pre-crmsnorm.json that are about norms and compression.
import { grad, mean, sub, type Tensor } from '@tensorflow/tfjs-core';
import type { Adapter, Claimable } from '../../../tools/oracles/adapter.ts';
import { readAll, toTensors } from '../../../tools/oracles/tensors.ts';
import { compressZeroMean, crmsNorm, decompressZeroMean, layerNorm, rmsNorm } from '../src/index.ts';

const gives =
  (...names: readonly string[]): Adapter['claims'] =>
  ({ outputs }: Claimable) =>
    names.every((name) => Object.hasOwn(outputs, name));

interface Params {
  eps: number;
}

/** The three norms of the same x, which is a compressed row for the last of them. */
const norms: Adapter = {
  claims: gives('layer_norm', 'rms_norm', 'crms_norm'),
  run: ({ params, inputs }) =>
    readAll(() => {
      const { x, dy } = toTensors(inputs) as { x: Tensor; dy: Tensor };
      const { eps: epsilon } = params as unknown as Params;
      const functions: Record<string, (x: Tensor) => Tensor> = {
        layer_norm: (a) => layerNorm(a, undefined, undefined, { epsilon }),
        rms_norm: (a) => rmsNorm(a, undefined, { epsilon }),
        crms_norm: (a) => crmsNorm(a, { epsilon }),
      };
      return {
        outputs: Object.fromEntries(Object.entries(functions).map(([name, normalize]) => [name, normalize(x)])),
        grads: Object.fromEntries(Object.entries(functions).map(([name, normalize]) => [`dx_${name}`, grad(normalize)(x, dy)])),
      };
    }),
};

const compression: Adapter = {
  claims: gives('compressed', 'crms_of_compressed', 'decompressed_crms'),
  run: ({ params, inputs }) =>
    readAll(() => {
      const { x } = toTensors(inputs) as { x: Tensor };
      const { eps: epsilon } = params as unknown as Params;
      const centred = sub(x, mean(x, -1, true));
      const compressed = compressZeroMean(centred);
      const normalized = crmsNorm(compressed, { epsilon });
      return {
        outputs: {
          x_zero_mean: centred,
          compressed,
          crms_of_compressed: normalized,
          decompressed_crms: decompressZeroMean(normalized),
          layer_norm_of_x: layerNorm(x, undefined, undefined, { epsilon }),
        },
      };
    }),
};

export const crmsNormAdapters: readonly Adapter[] = [norms, compression];
