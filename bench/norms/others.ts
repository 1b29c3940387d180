// Norms whose formulas are longer than a row of statistics: ours are held to their own references on tfjs' plain CPU backend.
import { add, erf, fill, mul, sigmoid, tensor, tidy, zeros, type Tensor } from '@tensorflow/tfjs-core';
import {
  BatchNormInference,
  ConditionalNorm,
  CRMSNorm,
  EvoNormB,
  EvoNormS,
  groupNorm,
  GroupNorm,
  layerNorm,
  LayerNorm,
  MeanSquare,
  powerNorm,
  PowerNorm,
  RegionNorm,
  rmsNorm,
  RMSNorm,
  unifiedNorm,
  UnMixNorm,
  UnifiedWindow,
  WeightStandardization,
} from '@evenkeel/norms';
import { normal } from '../harness/random.ts';
import type { OtherOp } from './cases.ts';

export type OtherInputs = Readonly<Record<'x' | 'gamma' | 'beta', Tensor>> & Readonly<Record<string, Tensor>>;

interface Other {
  /** Further inputs, constants for the gradient. */
  readonly more?: (shape: readonly number[]) => Record<string, Tensor>;
  readonly forward: (inputs: OtherInputs) => Tensor;
  /** Written with tfjs ops. */
  readonly composed: (inputs: OtherInputs) => Tensor;
  /** Our norm without what it has in the same pass, and that after it. */
  readonly apart?: (inputs: OtherInputs) => Tensor;
  /** The method's own backward pass is not the gradient of its forward pass, so that the composed one computes another. */
  readonly ownBackward?: true;
}

const epsilon = 1e-5;
const S0 = { numGroups: 32, epsilon, centred: true };
const B0 = { variant: 'B0' as const, epsilon };
const UNMIX = { epsilon: 1e-3, temperature: 0.07, momentum: 0.9, exactMixtureVariance: false };
const REGIONS = { regions: 2, statistics: 'batch' as const, epsilon, epsilonMode: 'official' as const };
const STANDARD = { epsilon, variant: 'sqrt(var_unbiased+eps)' as const };
const POWER = { epsilon, groups: 1, batchStatistic: false, alphaBackward: 0.9, gradientScale: 'batch' as const, maskGradient: false };
const WINDOW = 4;
const SILU = { epsilon, activation: 'silu' as const };
const GELU = { epsilon, activation: 'gelu' as const };

// As one writes them with tfjs-core.
const silu = (z: Tensor): Tensor => tidy(() => mul(z, sigmoid(z)));
const gelu = (z: Tensor): Tensor => tidy(() => mul(mul(0.5, z), add(1, erf(mul(z, Math.SQRT1_2)))));

const channelsOf = (shape: readonly number[]): number => shape.at(-1)!;
/** After warm-up: statistics of a running normalization, in the middle of training. */
const settled = (channels: number): Record<string, Tensor> => ({
  square: fill([channels], 1.2),
  squares: tensor(normal(WINDOW * channels, 5, 1.2, 0.01), [WINDOW, channels]),
  emaGz: zeros([channels]),
  gradients: zeros([WINDOW, channels]),
  skipped: zeros([1]),
});

export const OTHERS: Readonly<Record<OtherOp, Other>> = {
  crmsNorm: {
    forward: ({ x }) => CRMSNorm({ x }, { epsilon, padding: 0 }),
    composed: ({ x }) => CRMSNorm.definition.reference({ x }, { epsilon, padding: 0 }),
  },
  conditionalNorm: {
    more: ([samples, ...rest]) => ({
      gains: tensor(normal(samples! * rest.at(-1)!, 6, 1, 0.1), [samples!, rest.at(-1)!]),
      shifts: tensor(normal(samples! * rest.at(-1)!, 7, 0, 0.1), [samples!, rest.at(-1)!]),
    }),
    forward: ({ x, gains, shifts }) => ConditionalNorm({ x, gamma: gains, beta: shifts }, { kind: 'layer', epsilon }),
    composed: ({ x, gains, shifts }) =>
      ConditionalNorm.definition.reference({ x, gamma: gains!, beta: shifts! }, { kind: 'layer', epsilon }),
  },
  evoNormS0: {
    more: (shape) => ({ v: fill([channelsOf(shape)], 1) }),
    forward: ({ x, gamma, beta, v }) => EvoNormS({ x, gamma, beta, v }, S0),
    composed: ({ x, gamma, beta, v }) => EvoNormS.definition.reference({ x, gamma, beta, v: v! }, S0),
  },
  evoNormB0: {
    more: (shape) => ({ v: fill([channelsOf(shape)], 1) }),
    forward: ({ x, gamma, beta, v }) => EvoNormB({ x, gamma, beta, v }, B0).y,
    composed: ({ x, gamma, beta, v }) => EvoNormB.definition.reference({ x, gamma, beta, v: v! }, B0).y,
  },
  powerNorm: {
    more: (shape) => settled(channelsOf(shape)),
    forward: ({ x, gamma, beta, square, emaGz }) =>
      powerNorm(x, gamma, beta, { runningPhi: square!, emaGz: emaGz!, iterations: 5000 }, { onNonFinite: 'propagate', warmupSteps: 1000 })
        .y,
    composed: ({ x, gamma, beta, square }) => PowerNorm.definition.reference({ x, runningPhi: square!, gamma, beta } as never, POWER).y,
    ownBackward: true,
  },
  unifiedNorm: {
    more: (shape) => settled(channelsOf(shape)),
    forward: ({ x, gamma, beta, square, squares, emaGz, gradients, skipped }) =>
      unifiedNorm(
        x,
        gamma,
        beta,
        { runningVar: square!, squares: squares!, emaGz: emaGz!, gradients: gradients!, skipped: skipped!, iterations: 5000 },
        { onNonFinite: 'propagate', warmupSteps: 1000 },
      ).y,
    composed: ({ x, gamma, beta, square, squares }) =>
      tidy(() => {
        const meanSquare = MeanSquare.definition.reference({ x, fallback: square! } as never, {} as never);
        const attrs = { epsilon, momentum: 0.9, slot: 1, smooth: true, filter: false, byChannel: false, rescale: true, protect: false };
        const found = UnifiedWindow.definition.reference({ meanSquare, runningVar: square!, squares: squares! }, attrs);
        const inputs = { x, mean: zeros(square!.shape), variance: found.square, gamma, beta };
        return BatchNormInference.definition.reference(inputs, { epsilon });
      }),
    ownBackward: true,
  },
  regionNorm: {
    more: (shape) => ({
      // A hole in the middle of the height.
      labels: tidy(() => {
        const pixels = [...shape.slice(0, -1), 1];
        const count = pixels.reduce((a, b) => a * b, 1);
        const values = Int32Array.from({ length: count }, (_, i) => Number(Math.floor((4 * (i % 784)) / 784) % 3 !== 0));
        return tensor(values, pixels, 'int32');
      }),
    }),
    forward: ({ x, labels }) => RegionNorm({ x, labels: labels! }, REGIONS).y,
    composed: ({ x, labels }) => RegionNorm.definition.reference({ x, labels: labels! }, REGIONS).y,
  },
  unMixNorm: {
    more: (shape) => ({
      means: tensor(normal(8 * channelsOf(shape), 8, 0.5, 0.5), [8, channelsOf(shape)]),
      variances: fill([8, channelsOf(shape)], 0.6),
    }),
    forward: ({ x, gamma, beta, means, variances }) => UnMixNorm({ x, means: means!, variances: variances!, gamma, beta }, UNMIX).y,
    composed: ({ x, gamma, beta, means, variances }) =>
      UnMixNorm.definition.reference({ x, means: means!, variances: variances!, gamma, beta }, UNMIX).y,
    ownBackward: true,
  },
  weightStandardization: {
    forward: ({ x }) => WeightStandardization({ kernel: x }, STANDARD),
    composed: ({ x }) => WeightStandardization.definition.reference({ kernel: x }, STANDARD),
  },
  layerNormSilu: {
    forward: ({ x, gamma, beta }) => layerNorm(x, gamma, beta, SILU),
    apart: ({ x, gamma, beta }) => silu(layerNorm(x, gamma, beta, { epsilon })),
    composed: ({ x, gamma, beta }) => LayerNorm.definition.reference({ x, gamma, beta }, { ...SILU, axes: [-1] }),
  },
  layerNormGelu: {
    forward: ({ x, gamma, beta }) => layerNorm(x, gamma, beta, GELU),
    apart: ({ x, gamma, beta }) => gelu(layerNorm(x, gamma, beta, { epsilon })),
    composed: ({ x, gamma, beta }) => LayerNorm.definition.reference({ x, gamma, beta }, { ...GELU, axes: [-1] }),
  },
  rmsNormSilu: {
    forward: ({ x, gamma }) => rmsNorm(x, gamma, SILU),
    apart: ({ x, gamma }) => silu(rmsNorm(x, gamma, { epsilon })),
    composed: ({ x, gamma }) => RMSNorm.definition.reference({ x, gamma }, SILU),
  },
  groupNormSilu: {
    forward: ({ x, gamma, beta }) => groupNorm(x, gamma, beta, SILU),
    apart: ({ x, gamma, beta }) => silu(groupNorm(x, gamma, beta, { epsilon })),
    composed: ({ x, gamma, beta }) => GroupNorm.definition.reference({ x, gamma, beta }, { ...SILU, numGroups: 32 }),
  },
};

export const isOther = (op: string): op is OtherOp => op in OTHERS;
