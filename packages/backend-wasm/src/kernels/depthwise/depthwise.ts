import type { NamedAttrMap, TensorInfo } from '@tensorflow/tfjs-core';
import { sizeOf } from '@evenkeel/core';
import { infoOf, isFloat, isNHWC, isOne, residues, type Info } from '../conv2d/geometry.ts';
import type { Frame, Module, Standin } from '../frame.ts';
import { activate, activationOf, finish, isActivation } from '../mat-mul/gemm.ts';
import relaxed from './depthwise.relaxed.wasm.ts';
import simd from './depthwise.wasm.ts';

const module: Module = { simd, relaxed };

type Depthwise = 'widen' | 'narrow' | 'pack' | 'unpack' | 'convolve' | 'gradientScratch' | 'filterGradient';

/** Channels of a wide image: one for each output channel, up to whole vectors. */
const widthOf = ({ outChannels }: Info): number => Math.ceil(outChannels / 4) * 4;

/** Address of an array with every channel repeated and filled up to `wide` channels; its own where that is the same. */
function widened(frame: Frame, x: TensorInfo, repeat: number, wide: number): number {
  const channels = x.shape.at(-1)!;
  if (wide === channels) return frame.address(x);
  const count = sizeOf(x.shape) / channels;
  const address = frame.scratch(Math.max(1, count * wide * 4));
  frame.functions<Depthwise>(module).widen(frame.address(x), address, count, channels, repeat, wide);
  return address;
}

function forward(inputs: Record<string, TensorInfo>, attrs: NamedAttrMap, frame: Frame): TensorInfo {
  const { x, filter, bias } = inputs as { x: TensorInfo; filter: TensorInfo; bias?: TensorInfo };
  const info = infoOf(x.shape, filter.shape, attrs, true);
  const { outChannels, outHeight, outWidth, filterHeight, filterWidth, padInfo } = info;
  const y = frame.output(info.outShape);
  const size = sizeOf(y.shape);
  if (size === 0) return y;
  const depthwise = frame.functions<Depthwise>(module);
  const wide = widthOf(info);
  const pixel = wide * 4;
  const source = widened(frame, x, filter.shape[3]!, wide);
  const weights = frame.scratch(Math.max(1, filterHeight * filterWidth * pixel));
  depthwise.pack(frame.address(filter), filterHeight, filterWidth, outChannels, wide, 0, 0, 1, 1, 0, weights);
  const target = wide === outChannels ? frame.address(y) : frame.scratch((size / outChannels) * pixel);
  depthwise.convolve(
    source,
    info.batchSize,
    info.inHeight,
    info.inWidth,
    wide,
    outHeight,
    outWidth,
    info.strideHeight,
    info.strideWidth,
    info.dilationHeight,
    info.dilationWidth,
    padInfo.top,
    padInfo.left,
    filterHeight,
    filterWidth,
    weights,
    target,
    outHeight * outWidth * pixel,
    outWidth * pixel,
    pixel,
    bias === undefined ? 0 : widened(frame, bias, 1, wide),
  );
  if (target !== frame.address(y)) depthwise.narrow(target, frame.address(y), size / outChannels, outChannels, 1, wide);
  activate(frame, frame.address(y), size, activationOf(attrs), Number(attrs['leakyreluAlpha'] ?? 0));
  return finish(frame, y, attrs, inputs['preluActivationWeights']);
}

/** As for any convolution: one with stride 1 over dy for each residue class of positions of x, which the same taps reach. */
function inputGradient(inputs: Record<string, TensorInfo>, attrs: NamedAttrMap, frame: Frame): TensorInfo {
  const { dy, filter } = inputs as { dy: TensorInfo; filter: TensorInfo };
  const info = infoOf(attrs['inputShape'] as unknown as number[], filter.shape, attrs, true);
  const { inHeight, inWidth, inChannels, outChannels, filterHeight, filterWidth, strideHeight, strideWidth, padInfo } = info;
  const dx = frame.output(info.inShape);
  const size = sizeOf(dx.shape);
  if (size === 0) return dx;
  const depthwise = frame.functions<Depthwise>(module);
  const wide = widthOf(info);
  const pixel = wide * 4;
  const source = widened(frame, dy, 1, wide);
  const pixels = size / inChannels;
  const direct = wide === inChannels;
  const target = direct ? frame.address(dx) : frame.scratch(pixels * pixel);
  const weights = frame.scratch(Math.max(1, filterHeight * filterWidth * pixel));
  // Positions that no tap reaches.
  if (strideHeight > filterHeight || strideWidth > filterWidth) frame.clear(target, pixels * pixel);
  for (const v of residues(inHeight, filterHeight, strideHeight, padInfo.top)) {
    for (const h of residues(inWidth, filterWidth, strideWidth, padInfo.left)) {
      if (v.taps === 0 || h.taps === 0 || v.last < v.first || h.last < h.first) continue;
      depthwise.pack(
        frame.address(filter),
        filterHeight,
        filterWidth,
        outChannels,
        wide,
        v.tap,
        h.tap,
        strideHeight,
        strideWidth,
        1,
        weights,
      );
      const at = (v.first * strideHeight + v.tap - padInfo.top) * inWidth + h.first * strideWidth + h.tap - padInfo.left;
      depthwise.convolve(
        source,
        info.batchSize,
        info.outHeight,
        info.outWidth,
        wide,
        v.last - v.first + 1,
        h.last - h.first + 1,
        1,
        1,
        info.dilationHeight,
        info.dilationWidth,
        (v.taps - 1) * info.dilationHeight - v.first,
        (h.taps - 1) * info.dilationWidth - h.first,
        v.taps,
        h.taps,
        weights,
        target + at * pixel,
        inHeight * inWidth * pixel,
        strideHeight * inWidth * pixel,
        strideWidth * pixel,
        0,
      );
    }
  }
  if (!direct) depthwise.narrow(target, frame.address(dx), pixels, inChannels, filter.shape[3]!, wide);
  return dx;
}

function filterGradient(inputs: Record<string, TensorInfo>, attrs: NamedAttrMap, frame: Frame): TensorInfo {
  const { x, dy } = inputs as { x: TensorInfo; dy: TensorInfo };
  const info = infoOf(x.shape, attrs['filterShape'] as unknown as number[], attrs, true);
  const { filterHeight, filterWidth, filterShape, padInfo } = info;
  const dw = frame.output(filterShape);
  if (sizeOf(dw.shape) === 0) return dw;
  const depthwise = frame.functions<Depthwise>(module);
  const wide = widthOf(info);
  const taps = filterHeight * filterWidth;
  const packed = frame.scratch(taps * wide * 4);
  depthwise.filterGradient(
    widened(frame, x, filterShape[3], wide),
    info.batchSize,
    info.inHeight,
    info.inWidth,
    wide,
    info.outHeight,
    info.outWidth,
    info.strideHeight,
    info.strideWidth,
    info.dilationHeight,
    info.dilationWidth,
    padInfo.top,
    padInfo.left,
    filterHeight,
    filterWidth,
    widened(frame, dy, 1, wide),
    packed,
    frame.scratch(
      depthwise.gradientScratch(
        info.inWidth,
        info.outWidth,
        info.strideHeight,
        info.strideWidth,
        filterHeight,
        filterWidth,
        info.dilationHeight,
        info.dilationWidth,
        padInfo.left,
      ),
    ),
  );
  depthwise.unpack(packed, taps, info.outChannels, frame.address(dw));
  return dw;
}

export const depthwiseConv2d: Standin = {
  name: 'DepthwiseConv2dNative',
  serves: ({ x, filter }, attrs) => isFloat(x) && isFloat(filter) && isNHWC(attrs),
  run: forward,
};

export const fusedDepthwiseConv2d: Standin = {
  name: 'FusedDepthwiseConv2D',
  serves: ({ x, filter, bias }, attrs) =>
    isFloat(x) && isFloat(filter) && isNHWC(attrs) && isActivation(attrs['activation']) && (bias === undefined || bias.shape.length === 1),
  run: forward,
};

export const depthwiseConv2dBackpropInput: Standin = {
  name: 'DepthwiseConv2dNativeBackpropInput',
  serves: ({ dy, filter }, attrs) => isFloat(dy) && isFloat(filter) && (isOne(attrs['strides']) || isOne(attrs['dilations'])),
  run: inputGradient,
};

export const depthwiseConv2dBackpropFilter: Standin = {
  name: 'DepthwiseConv2dNativeBackpropFilter',
  serves: ({ x, dy }) => isFloat(x) && isFloat(dy),
  run: filterGradient,
};
