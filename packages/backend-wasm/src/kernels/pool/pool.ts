import { backend_util, type NamedAttrMap, type TensorInfo } from '@tensorflow/tfjs-core';
import { sizeOf } from '@evenkeel/core';
import type { Frame, Module, Standin } from '../frame.ts';
import simd from './pool.wasm.ts';

const module: Module = { simd };
type Pool = 'maxPool' | 'scatter' | 'put' | 'maxPool2d' | 'averagePool2d';

interface Windows {
  readonly outShape: number[];
  readonly batch: number;
  /** As the kernel's table wants it, but for the last entry. */
  readonly geometry: readonly number[];
  /** Elements of one sample. */
  readonly sample: number;
}

type Pad = 'same' | 'valid' | number | backend_util.ExplicitPadding;

interface PoolAttrs {
  readonly filterSize: number | [number, number];
  readonly strides: number | [number, number];
  readonly pad: Pad;
  readonly dimRoundingMode?: 'floor' | 'round' | 'ceil';
  readonly dilations?: number | [number, number];
}

function windows2d(shape: readonly number[], attrs: NamedAttrMap): Windows {
  const { filterSize, strides, pad, dimRoundingMode, dilations = 1 } = attrs as unknown as PoolAttrs;
  const info = backend_util.computePool2DInfo(
    shape as [number, number, number, number],
    filterSize,
    strides,
    dilations,
    pad,
    dimRoundingMode,
  );
  const {
    inHeight,
    inWidth,
    outHeight,
    outWidth,
    filterHeight,
    filterWidth,
    strideHeight,
    strideWidth,
    dilationHeight,
    dilationWidth,
    padInfo,
    inChannels,
  } = info;
  return {
    outShape: info.outShape,
    batch: info.batchSize,
    sample: inHeight * inWidth * inChannels,
    geometry: [
      1,
      inHeight,
      inWidth,
      1,
      outHeight,
      outWidth,
      1,
      filterHeight,
      filterWidth,
      1,
      strideHeight,
      strideWidth,
      1,
      dilationHeight,
      dilationWidth,
      0,
      padInfo.top,
      padInfo.left,
      inChannels,
    ],
  };
}

function windows3d(shape: readonly number[], attrs: NamedAttrMap): Windows {
  const { filterSize, strides, pad, dimRoundingMode, dilations = 1 } = attrs as unknown as { [K in keyof PoolAttrs]: never };
  const info = backend_util.computePool3DInfo(
    shape as [number, number, number, number, number],
    filterSize,
    strides,
    dilations,
    pad,
    dimRoundingMode,
  );
  const {
    inDepth,
    inHeight,
    inWidth,
    outDepth,
    outHeight,
    outWidth,
    filterDepth,
    filterHeight,
    filterWidth,
    strideDepth,
    strideHeight,
    strideWidth,
    padInfo,
    inChannels,
  } = info;
  return {
    outShape: info.outShape,
    batch: info.batchSize,
    sample: inDepth * inHeight * inWidth * inChannels,
    geometry: [
      inDepth,
      inHeight,
      inWidth,
      outDepth,
      outHeight,
      outWidth,
      filterDepth,
      filterHeight,
      filterWidth,
      strideDepth,
      strideHeight,
      strideWidth,
      info.dilationDepth,
      info.dilationHeight,
      info.dilationWidth,
      padInfo.front,
      padInfo.top,
      padInfo.left,
      inChannels,
    ],
  };
}

/** Writes the table; positions count through the whole batch where `batched`. */
function table(frame: Frame, { geometry, sample }: Windows, batched: boolean): number {
  const address = frame.scratch((geometry.length + 1) * 4);
  const { put } = frame.functions<Pool>(module);
  [...geometry, batched ? sample : 0].forEach((value, index) => put(address, index, value));
  return address;
}

function forward(x: TensorInfo, windows: Windows, frame: Frame): TensorInfo {
  const y = frame.output(windows.outShape);
  frame.functions<Pool>(module).maxPool(frame.address(x), frame.address(y), 0, windows.batch, table(frame, windows, false));
  return y;
}

function gradient(dy: TensorInfo, x: TensorInfo, windows: Windows, frame: Frame): TensorInfo {
  const dx = frame.output(x.shape);
  const count = sizeOf(windows.outShape);
  const positions = frame.scratch(count * 4);
  const pool = frame.functions<Pool>(module);
  pool.maxPool(frame.address(x), 0, positions, windows.batch, table(frame, windows, true));
  pool.scatter(frame.address(dy), positions, count, frame.address(dx), sizeOf(x.shape));
  return dx;
}

const isFloat = ({ dtype }: TensorInfo): boolean => dtype === 'float32';

function forward2d(name: 'maxPool2d' | 'averagePool2d', x: TensorInfo, attrs: NamedAttrMap, frame: Frame): TensorInfo {
  const windows = windows2d(x.shape, attrs);
  const y = frame.output(windows.outShape);
  const address = table(frame, windows, false);
  if (sizeOf(y.shape) > 0) frame.functions<Pool>(module)[name](frame.address(x), frame.address(y), windows.batch, address);
  return y;
}

/** tfjs' lets -Infinity through where NaN or infinities are about. */
export const maxPool: Standin = {
  name: 'MaxPool',
  serves: ({ x }) => isFloat(x!),
  run: ({ x }, attrs, frame) => forward2d('maxPool2d', x!, attrs, frame),
};

/** tfjs' makes -Infinity of a NaN. */
export const avgPool: Standin = {
  name: 'AvgPool',
  serves: ({ x }) => isFloat(x!),
  run: ({ x }, attrs, frame) => forward2d('averagePool2d', x!, attrs, frame),
};

export const maxPoolGrad: Standin = {
  name: 'MaxPoolGrad',
  serves: ({ dy, input }) => isFloat(dy!) && isFloat(input!),
  run: ({ dy, input }, attrs, frame) => gradient(dy!, input!, windows2d(input!.shape, attrs), frame),
};

export const maxPool3d: Standin = {
  name: 'MaxPool3D',
  serves: ({ x }, { dataFormat = 'NDHWC' }) => isFloat(x!) && dataFormat === 'NDHWC',
  run: ({ x }, attrs, frame) => forward(x!, windows3d(x!.shape, attrs), frame),
};

export const maxPool3dGrad: Standin = {
  name: 'MaxPool3DGrad',
  serves: ({ dy, input }) => isFloat(dy!) && isFloat(input!),
  run: ({ dy, input }, attrs, frame) => gradient(dy!, input!, windows3d(input!.shape, attrs), frame),
};

export const maxPoolWithArgmax: Standin = {
  name: 'MaxPoolWithArgmax',
  serves: ({ x }) => isFloat(x!),
  run: ({ x }, attrs, frame) => {
    const windows = windows2d(x!.shape, attrs);
    const y = frame.output(windows.outShape);
    const positions = frame.output(windows.outShape, 'int32');
    const address = table(frame, windows, attrs['includeBatchInIndex'] === true);
    frame.functions<Pool>(module).maxPool(frame.address(x), frame.address(y), frame.address(positions), windows.batch, address);
    return [y, positions];
  },
};
