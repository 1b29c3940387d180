import { backend_util, type NamedAttrMap, type TensorInfo } from '@tensorflow/tfjs-core';
import { sizeOf } from '@evenkeel/core';
import type { Frame, Module, Standin } from '../frame.ts';
import relaxed from './conv3d.relaxed.wasm.ts';
import simd from './conv3d.wasm.ts';

const module: Module = { simd, relaxed };

type Five = [number, number, number, number, number];

/** The geometry as the kernel's table wants it. */
function geometryOf(inShape: readonly number[], filterShape: readonly number[], attrs: NamedAttrMap): number[] {
  const { strides, dilations = 1, pad } = attrs as unknown as { strides: number; dilations?: number; pad: 'same' | 'valid' };
  const info = backend_util.computeConv3DInfo(inShape as Five, filterShape as Five, strides, dilations, pad);
  return [
    info.batchSize,
    info.inDepth,
    info.inHeight,
    info.inWidth,
    info.inChannels,
    info.outDepth,
    info.outHeight,
    info.outWidth,
    info.outChannels,
    info.filterDepth,
    info.filterHeight,
    info.filterWidth,
    info.strideDepth,
    info.strideHeight,
    info.strideWidth,
    info.dilationDepth,
    info.dilationHeight,
    info.dilationWidth,
    info.padInfo.front,
    info.padInfo.top,
    info.padInfo.left,
  ];
}

function run(frame: Frame, toInput: boolean, x: TensorInfo, w: TensorInfo, dy: TensorInfo, attrs: NamedAttrMap): void {
  const geometry = geometryOf(x.shape, w.shape, attrs);
  const table = frame.scratch(geometry.length * 4);
  frame.write(table, Int32Array.from(geometry));
  const { gradient } = frame.functions<'gradient'>(module);
  gradient(toInput ? 1 : 0, frame.address(x), frame.address(w), frame.address(dy), table);
}

const isFloat = (tensor: TensorInfo | undefined): boolean => tensor?.dtype === 'float32';

/** tfjs' is wrong where a stride is not 1. */
export const conv3dBackpropInput: Standin = {
  name: 'Conv3DBackpropInputV2',
  serves: ({ dy, filter }) => isFloat(dy) && isFloat(filter),
  run: ({ dy, filter }, attrs, frame) => {
    const dx = frame.output(attrs['inputShape'] as unknown as number[]);
    if (sizeOf(dx.shape) > 0) run(frame, true, dx, filter!, dy!, attrs);
    return dx;
  },
};

/** The same. */
export const conv3dBackpropFilter: Standin = {
  name: 'Conv3DBackpropFilterV2',
  serves: ({ x, dy }) => isFloat(x) && isFloat(dy),
  run: ({ x, dy }, attrs, frame) => {
    const dw = frame.output(attrs['filterShape'] as unknown as number[]);
    if (sizeOf(dw.shape) > 0) run(frame, false, x!, dw, dy!, attrs);
    return dw;
  },
};
