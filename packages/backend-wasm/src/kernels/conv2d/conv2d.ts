import type { NamedAttrMap, TensorInfo } from '@tensorflow/tfjs-core';
import { sizeOf } from '@evenkeel/core';
import type { Frame, Module, Standin } from '../frame.ts';
import { activate, activationOf, finish, gemm, isActivation } from '../mat-mul/gemm.ts';
import { infoOf, isFloat, isNHWC, isOne, marginsOfGradient, residues, type Info, type Margins } from './geometry.ts';
import relaxed from './conv2d.relaxed.wasm.ts';
import simd from './conv2d.wasm.ts';

const module: Module = { simd, relaxed };

type Conv = 'pad' | 'packWeights' | 'flipWeights' | 'convolve' | 'filterGradient' | 'unpack' | 'widen';

/** Floats of a panel's width. */
const PANEL = 16;
/** Bytes of convolve's own scratch: an edge tile, and a table of 64 pairs of addresses. */
const TILE = 128;
const TABLE = 512;

const panelsOf = (channels: number): number => Math.ceil(channels / PANEL);

/** A 1 x 1 window over every pixel: a product of matrices. */
function isPlainProduct({ filterHeight, filterWidth, strideHeight, strideWidth, inHeight, inWidth, outHeight, outWidth }: Info): boolean {
  return (
    filterHeight === 1 && filterWidth === 1 && strideHeight === 1 && strideWidth === 1 && inHeight === outHeight && inWidth === outWidth
  );
}

/** An image batch with zeros around it (or as it is), and its pitches in bytes. */
interface Padded {
  readonly address: number;
  readonly row: number;
  readonly image: number;
  readonly pixel: number;
}

function padded(frame: Frame, x: TensorInfo, { top, bottom, left, right }: Margins): Padded {
  const [n, h, w, c] = x.shape as [number, number, number, number];
  const row = (w + left + right) * c * 4;
  const image = (h + top + bottom) * row;
  if (top + bottom + left + right === 0) return { address: frame.address(x), row, image, pixel: c * 4 };
  const address = frame.scratch(n * image);
  frame.functions<Conv>(module).pad(frame.address(x), address, n, h, w, c, top, bottom, left, right);
  return { address, row, image, pixel: c * 4 };
}

/** A window's rows as runs of memory: one run a row, unless dilation tears the row apart. */
function window(
  {
    filterHeight,
    filterWidth,
    dilationHeight,
    dilationWidth,
  }: Pick<Info, 'filterHeight' | 'filterWidth' | 'dilationHeight' | 'dilationWidth'>,
  channels: number,
  row: number,
): [number, number, number, number, number] {
  const torn = dilationWidth > 1 && filterWidth > 1;
  return [
    filterHeight,
    dilationHeight * row,
    torn ? filterWidth : 1,
    dilationWidth * channels * 4,
    torn ? channels : filterWidth * channels,
  ];
}

function forward(inputs: Record<string, TensorInfo>, attrs: NamedAttrMap, frame: Frame): TensorInfo {
  const { x, filter, bias } = inputs as { x: TensorInfo; filter: TensorInfo; bias?: TensorInfo };
  const info = infoOf(x.shape, filter.shape, attrs);
  const activation = activationOf(attrs);
  const alpha = Number(attrs['leakyreluAlpha'] ?? 0);
  const { inChannels, outChannels, outHeight, outWidth, batchSize } = info;
  const y = frame.output(info.outShape);
  const size = sizeOf(y.shape);
  if (size === 0) return y;
  if (isPlainProduct(info)) {
    const multiply = gemm(
      frame,
      { m: size / outChannels, n: outChannels, k: inChannels },
      { bias: frame.address(bias), activation, alpha },
    );
    multiply(frame.address(x), frame.address(filter), frame.address(y));
    return finish(frame, y, attrs, inputs['preluActivationWeights']);
  }
  const conv = frame.functions<Conv>(module);
  const source = padded(frame, x, info.padInfo);
  const depth = sizeOf(filter.shape.slice(0, 3));
  const weights = frame.scratch(panelsOf(outChannels) * depth * PANEL * 4);
  conv.packWeights(frame.address(filter), depth, outChannels, weights);
  const start = bias === undefined ? 0 : frame.scratch(panelsOf(outChannels) * PANEL * 4);
  if (bias !== undefined) conv.widen(frame.address(bias), start, 1, outChannels, panelsOf(outChannels) * PANEL);
  const tile = frame.scratch(TILE + TABLE);
  const pixel = outChannels * 4;
  conv.convolve(
    source.address,
    batchSize,
    outHeight,
    outWidth,
    source.image,
    info.strideHeight * source.row,
    info.strideWidth * source.pixel,
    ...window(info, inChannels, source.row),
    weights,
    outChannels,
    frame.address(y),
    outHeight * outWidth * pixel,
    outWidth * pixel,
    pixel,
    start,
    tile,
    tile + TILE,
  );
  activate(frame, frame.address(y), size, activation, alpha);
  return finish(frame, y, attrs, inputs['preluActivationWeights']);
}

/**
 * dx of a convolution with stride s is s x s convolutions with stride 1: positions of x in one residue class are reached by the same taps.
 * Nothing is multiplied by the zeros that a dilated dy would have.
 */
function inputGradient(inputs: Record<string, TensorInfo>, attrs: NamedAttrMap, frame: Frame): TensorInfo {
  const { dy, filter } = inputs as { dy: TensorInfo; filter: TensorInfo };
  const info = infoOf(attrs['inputShape'] as unknown as number[], filter.shape, attrs);
  const {
    batchSize,
    inHeight,
    inWidth,
    inChannels,
    outChannels,
    filterHeight,
    filterWidth,
    strideHeight,
    strideWidth,
    dilationHeight,
    dilationWidth,
    padInfo,
  } = info;
  const dx = frame.output(info.inShape);
  const size = sizeOf(dx.shape);
  if (size === 0) return dx;
  if (isPlainProduct(info)) {
    const multiply = gemm(frame, { m: size / inChannels, n: inChannels, k: outChannels, transposeB: true });
    multiply(frame.address(dy), frame.address(filter), frame.address(dx));
    return dx;
  }
  const conv = frame.functions<Conv>(module);
  const vertical = residues(inHeight, filterHeight, strideHeight, padInfo.top);
  const horizontal = residues(inWidth, filterWidth, strideWidth, padInfo.left);
  const margins = marginsOfGradient(info);
  const source = padded(frame, dy, margins);
  const weights = frame.scratch(panelsOf(inChannels) * filterHeight * filterWidth * outChannels * PANEL * 4);
  const flipped = frame.scratch(sizeOf(filter.shape) * 4);
  const tile = frame.scratch(TILE + TABLE);
  const target = frame.address(dx);
  const pixel = inChannels * 4;
  // Positions that no tap reaches.
  if (strideHeight > filterHeight || strideWidth > filterWidth) frame.clear(target, size * 4);
  for (const v of vertical) {
    for (const h of horizontal) {
      if (v.taps === 0 || h.taps === 0 || v.last < v.first || h.last < h.first) continue;
      conv.flipWeights(
        frame.address(filter),
        filterHeight,
        filterWidth,
        inChannels,
        outChannels,
        v.tap,
        h.tap,
        strideHeight,
        strideWidth,
        flipped,
      );
      conv.packWeights(flipped, v.taps * h.taps * outChannels, inChannels, weights);
      const row = v.first - (v.taps - 1) * dilationHeight + margins.top;
      const column = h.first - (h.taps - 1) * dilationWidth + margins.left;
      const at = target + ((v.first * strideHeight + v.tap - padInfo.top) * inWidth + h.first * strideWidth + h.tap - padInfo.left) * pixel;
      conv.convolve(
        source.address + row * source.row + column * source.pixel,
        batchSize,
        v.last - v.first + 1,
        h.last - h.first + 1,
        source.image,
        source.row,
        source.pixel,
        ...window({ filterHeight: v.taps, filterWidth: h.taps, dilationHeight, dilationWidth }, outChannels, source.row),
        weights,
        inChannels,
        at,
        inHeight * inWidth * pixel,
        strideHeight * inWidth * pixel,
        strideWidth * pixel,
        0,
        tile,
        tile + TILE,
      );
    }
  }
  return dx;
}

function filterGradient(inputs: Record<string, TensorInfo>, attrs: NamedAttrMap, frame: Frame): TensorInfo {
  const { x, dy } = inputs as { x: TensorInfo; dy: TensorInfo };
  const info = infoOf(x.shape, attrs['filterShape'] as unknown as number[], attrs);
  const { batchSize, inChannels, outChannels, outHeight, outWidth } = info;
  const dw = frame.output(info.filterShape);
  if (sizeOf(dw.shape) === 0) return dw;
  const conv = frame.functions<Conv>(module);
  const pixels = batchSize * outHeight * outWidth;
  if (isPlainProduct(info) && pixels > 0) {
    const multiply = gemm(frame, { m: inChannels, n: outChannels, k: pixels, transposeA: true });
    multiply(frame.address(x), frame.address(dy), frame.address(dw));
    return dw;
  }
  const source = padded(frame, x, info.padInfo);
  const depth = info.filterHeight * info.filterWidth * inChannels;
  const panels = panelsOf(outChannels);
  let gradient = frame.address(dy);
  if (panels * PANEL !== outChannels) {
    const wide = frame.scratch(Math.max(1, pixels) * panels * PANEL * 4);
    conv.widen(gradient, wide, pixels, outChannels, panels * PANEL);
    gradient = wide;
  }
  const packed = frame.scratch(panels * depth * PANEL * 4);
  conv.filterGradient(
    source.address,
    batchSize,
    outHeight,
    outWidth,
    source.image,
    info.strideHeight * source.row,
    info.strideWidth * source.pixel,
    ...window(info, inChannels, source.row),
    gradient,
    panels,
    packed,
  );
  conv.unpack(packed, depth, outChannels, frame.address(dw));
  return dw;
}

export const conv2d: Standin = {
  name: 'Conv2D',
  serves: ({ x, filter }, attrs) => isFloat(x) && isFloat(filter) && isNHWC(attrs),
  run: forward,
};

export const fusedConv2d: Standin = {
  name: 'FusedConv2D',
  serves: ({ x, filter, bias }, attrs) =>
    isFloat(x) && isFloat(filter) && isNHWC(attrs) && isActivation(attrs['activation']) && (bias === undefined || bias.shape.length === 1),
  run: forward,
};

export const conv2dBackpropInput: Standin = {
  name: 'Conv2DBackpropInput',
  serves: ({ dy, filter }, attrs) =>
    isFloat(dy) && isFloat(filter) && isNHWC(attrs) && (isOne(attrs['strides']) || isOne(attrs['dilations'])),
  run: inputGradient,
};

export const conv2dBackpropFilter: Standin = {
  name: 'Conv2DBackpropFilter',
  serves: ({ x, dy }, attrs) => isFloat(x) && isFloat(dy) && isNHWC(attrs),
  run: filterGradient,
};
