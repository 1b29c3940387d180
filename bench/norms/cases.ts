import { normal } from '../harness/random.ts';

/** Norms whose results are computed here by their formulas, in double precision. */
export type FormulaOp = 'layerNorm' | 'rmsNorm' | 'batchNorm' | 'groupNorm' | 'l1LayerNorm' | 'l1BatchNorm';
/** Norms that are held to their own references (others.ts). */
export type OtherOp =
  | 'crmsNorm'
  | 'conditionalNorm'
  | 'evoNormS0'
  | 'evoNormB0'
  | 'powerNorm'
  | 'regionNorm'
  | 'unifiedNorm'
  | 'unMixNorm'
  | 'weightStandardization'
  // A norm and the activation behind it, in one pass.
  | 'layerNormSilu'
  | 'layerNormGelu'
  | 'rmsNormSilu'
  | 'groupNormSilu';
export type OpName = FormulaOp | OtherOp;
export type Pass = 'forward' | 'forward+backward';
export type BackendName = 'wasm' | 'webgpu';

/** One thing to compute, and the data to compute it on. */
export interface Case {
  readonly op: OpName;
  readonly pass: Pass;
  readonly shape: readonly number[];
  readonly data: Data;
}

export interface Data {
  /** Mean 0.5: a kernel that forgets the mean is caught. */
  readonly x: Float32Array<ArrayBuffer>;
  readonly gamma: Float32Array<ArrayBuffer>;
  readonly beta: Float32Array<ArrayBuffer>;
  readonly dy: Float32Array<ArrayBuffer>;
}

export const EPSILON = 1e-5;
export const NUM_GROUPS = 32;

type Shapes = Readonly<Record<OpName, readonly (readonly number[])[]>>;

function shapes(
  rows: readonly (readonly number[])[],
  pictures: readonly (readonly number[])[],
  // Signs of differences from the mean: with more values, one lies so near it that float32 of any arm may take the other one.
  signedRows = rows,
  batches = rows,
  kernels = pictures,
  activated = rows,
): Shapes {
  return {
    layerNorm: rows,
    rmsNorm: rows,
    batchNorm: pictures,
    groupNorm: pictures,
    l1LayerNorm: signedRows,
    l1BatchNorm: pictures,
    crmsNorm: rows,
    conditionalNorm: batches,
    evoNormS0: pictures,
    evoNormB0: pictures,
    powerNorm: batches,
    unifiedNorm: batches,
    regionNorm: pictures,
    unMixNorm: pictures,
    weightStandardization: kernels,
    layerNormSilu: activated,
    layerNormGelu: activated,
    rmsNormSilu: activated,
    groupNormSilu: pictures,
  };
}

export const SHAPES = shapes(
  [
    [256, 768],
    [1024, 768],
    [4096, 768],
    [64, 197, 384],
  ],
  [[32, 28, 28, 64]],
  [
    [256, 768],
    [1024, 768],
    [4096, 256],
    [4096, 768],
  ],
  [
    [16, 64, 768],
    [64, 197, 384],
  ],
  [[3, 3, 256, 256]],
  [
    [1024, 768],
    [4096, 768],
  ],
);

/** To see that everything runs and agrees, in seconds. */
export const SMOKE_SHAPES = shapes([[5, 36]], [[2, 3, 5, 32]], [[5, 36]], [[2, 5, 36]]);

export const PASSES: readonly Pass[] = ['forward', 'forward+backward'];

/** What divides by the standard deviation where these divide by the mean absolute deviation. */
export const TWINS: Partial<Readonly<Record<OpName, OpName>>> = { l1LayerNorm: 'layerNorm', l1BatchNorm: 'batchNorm' };

/** What gradients are taken with respect to, beside x. */
export function parametersOf(op: OpName): readonly ('gamma' | 'beta')[] {
  if (['crmsNorm', 'conditionalNorm', 'regionNorm', 'weightStandardization'].includes(op)) return [];
  return op === 'rmsNorm' || op === 'rmsNormSilu' ? ['gamma'] : ['gamma', 'beta'];
}

export function size(shape: readonly number[]): number {
  return shape.reduce((product, length) => product * length, 1);
}

export function data(shape: readonly number[]): Data {
  const n = size(shape);
  const channels = shape.at(-1)!;
  return {
    x: normal(n, 1, 0.5),
    gamma: normal(channels, 2, 1, 0.1),
    beta: normal(channels, 3, 0, 0.1),
    dy: normal(n, 4),
  };
}

/**
 * Bytes that a kernel cannot avoid to move: forward reads x and writes y; backward reads x and dy and writes dx.
 * Parameters and statistics are small beside them.
 */
export function leastBytes({ shape, pass }: Pick<Case, 'shape' | 'pass'>): number {
  return 4 * size(shape) * (pass === 'forward' ? 2 : 5);
}
