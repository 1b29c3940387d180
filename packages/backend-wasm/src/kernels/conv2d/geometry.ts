// What all kernels of 2-D convolutions must know about their windows.
import { backend_util, type NamedAttrMap, type TensorInfo } from '@tensorflow/tfjs-core';

export type Info = backend_util.Conv2DInfo;

/** Rows and columns of zeros around an image. */
export interface Margins {
  readonly top: number;
  readonly bottom: number;
  readonly left: number;
  readonly right: number;
}

export function infoOf(inShape: readonly number[], filterShape: readonly number[], attrs: NamedAttrMap, depthwise = false): Info {
  const { strides, dilations, pad, dimRoundingMode } = attrs as unknown as {
    strides: number | [number, number];
    dilations?: number | [number, number] | null;
    pad: 'same' | 'valid' | number | backend_util.ExplicitPadding;
    dimRoundingMode?: 'floor' | 'round' | 'ceil';
  };
  return backend_util.computeConv2DInfo(
    inShape as [number, number, number, number],
    filterShape as [number, number, number, number],
    strides,
    dilations ?? 1,
    pad,
    dimRoundingMode,
    depthwise,
  );
}

/** Along one axis of x, the positions p = q stride + tap - before which the same taps reach: tap, tap + stride, ... */
export interface Residue {
  readonly tap: number;
  readonly taps: number;
  /** First and last q. */
  readonly first: number;
  readonly last: number;
}

export function residues(length: number, filter: number, stride: number, before: number): Residue[] {
  return Array.from({ length: stride }, (_, tap) => ({
    tap,
    taps: Math.max(0, Math.ceil((filter - tap) / stride)),
    first: Math.ceil((before - tap) / stride),
    last: Math.floor((length - 1 + before - tap) / stride),
  }));
}

/** How far before the first row of dy the windows reach, and how far beyond the last. */
const reachBefore = (all: Residue[], dilation: number): number =>
  Math.max(0, ...all.map(({ taps, first }) => (taps - 1) * dilation - first));
const reachBeyond = (all: Residue[], length: number): number => Math.max(0, ...all.map(({ last }) => last - (length - 1)));

/** The zeros around dy which the input gradient's windows reach. */
export function marginsOfGradient(info: Info): Margins {
  const vertical = residues(info.inHeight, info.filterHeight, info.strideHeight, info.padInfo.top);
  const horizontal = residues(info.inWidth, info.filterWidth, info.strideWidth, info.padInfo.left);
  return {
    top: reachBefore(vertical, info.dilationHeight),
    bottom: reachBeyond(vertical, info.outHeight),
    left: reachBefore(horizontal, info.dilationWidth),
    right: reachBeyond(horizontal, info.outWidth),
  };
}

export const isFloat = (tensor: TensorInfo | undefined): boolean => tensor === undefined || tensor.dtype === 'float32';
export const isNHWC = ({ dataFormat }: NamedAttrMap): boolean => dataFormat === undefined || dataFormat === 'NHWC';
export const isOne = (value: unknown): boolean => value === undefined || value === null || [value].flat().every((each) => each === 1);
