import { backend_util, type NamedAttrMap, type TensorInfo } from '@tensorflow/tfjs-core';
import { sizeOf } from '@evenkeel/core';
import type { Frame, Module, Standin } from '../frame.ts';
import simd from './dilation2d.wasm.ts';

const module: Module = { simd };

const KERNELS = ['Dilation2D', 'Dilation2DBackpropInput', 'Dilation2DBackpropFilter'] as const;

function dilate(kind: number, inputs: Record<string, TensorInfo>, attrs: NamedAttrMap, frame: Frame): TensorInfo {
  const { x, filter, dy } = inputs as { x: TensorInfo; filter: TensorInfo; dy?: TensorInfo };
  const { strides, pad, dilations } = attrs as unknown as { strides: number; pad: 'same' | 'valid'; dilations: number };
  const info = backend_util.computeDilation2DInfo(
    x.shape as [number, number, number, number],
    filter.shape as [number, number, number],
    strides,
    pad,
    'NHWC',
    dilations,
  );
  const y = frame.output([info.outShape, x.shape, filter.shape][kind]!);
  if (sizeOf(y.shape) === 0) return y;
  const geometry = [
    info.batchSize,
    info.inHeight,
    info.inWidth,
    info.inChannels,
    info.outHeight,
    info.outWidth,
    info.filterHeight,
    info.filterWidth,
    info.strideHeight,
    info.strideWidth,
    info.dilationHeight,
    info.dilationWidth,
    info.padInfo.top,
    info.padInfo.left,
    kind,
  ];
  const table = frame.scratch(geometry.length * 4);
  frame.write(table, Int32Array.from(geometry));
  const { dilate: run } = frame.functions<'dilate'>(module);
  run(frame.address(x), frame.address(filter), frame.address(dy), frame.address(y), table);
  return y;
}

/** tfjs' start their search at the smallest positive float, and find 1e-38 where all of a window is negative. */
export const dilation2d: readonly Standin[] = KERNELS.map((name, kind) => ({
  name,
  serves: ({ x, filter }) => x!.dtype === 'float32' && filter!.dtype === 'float32',
  run: (inputs, attrs, frame) => dilate(kind, inputs, attrs, frame),
}));
