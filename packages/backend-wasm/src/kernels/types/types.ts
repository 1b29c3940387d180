// Kernels of tfjs that treat other types than float32 as if they were.
import { backend_util, util, type TensorInfo } from '@tensorflow/tfjs-core';
import { sizeOf } from '@evenkeel/core';
import type { Frame, Module, Standin } from '../frame.ts';
import simd from './types.wasm.ts';

const module: Module = { simd };

type Types = 'floatsToBool' | 'integersToBool' | 'oneHot';

/** tfjs copies the lowest byte: 256 is false, 3 is 3. */
export const castToBool: Standin = {
  name: 'Cast',
  serves: ({ x }, { dtype }) => dtype === 'bool' && (x!.dtype === 'float32' || x!.dtype === 'int32'),
  run: ({ x }, _, frame) => {
    const y = frame.output(x!.shape, 'bool');
    const { floatsToBool, integersToBool } = frame.functions<Types>(module);
    (x!.dtype === 'float32' ? floatsToBool : integersToBool)(frame.address(x), frame.address(y), sizeOf(y.shape));
    return y;
  },
};

/** tfjs moves four bytes for each one, beyond the tensor's end too. */
export const reverseBool: Standin = {
  name: 'Reverse',
  serves: ({ x }) => x!.dtype === 'bool' && x!.shape.length > 0,
  run: ({ x }, attrs, frame) => {
    const numbers = frame.call('Cast', { x: x! }, { dtype: 'int32' });
    return frame.call('Cast', { x: frame.call('Reverse', { x: numbers }, attrs) }, { dtype: 'bool' });
  },
};

const integerIdentity = (x: TensorInfo, frame: Frame): TensorInfo => frame.call('Identity', { x });

/** tfjs takes the bits for a float32. */
export const floorOfIntegers: readonly Standin[] = ['Floor', 'Ceil', 'Round'].map((name) => ({
  name,
  serves: ({ x }) => x!.dtype === 'int32',
  run: ({ x }, _, frame) => integerIdentity(x!, frame),
}));

/** tfjs writes integers whatever the type. */
export const oneHot: Standin = {
  name: 'OneHot',
  serves: ({ indices }, { dtype }) => indices!.dtype === 'int32' && (dtype === 'float32' || dtype === 'int32' || dtype === 'bool'),
  run: ({ indices }, attrs, frame) => {
    const { dtype, depth, onValue, offValue } = attrs as unknown as {
      dtype: 'float32' | 'int32' | 'bool';
      depth: number;
      onValue: number;
      offValue: number;
    };
    const y = frame.output([...indices!.shape, depth], dtype);
    const [on, off] = new Int32Array((dtype === 'float32' ? Float32Array : Int32Array).of(onValue, offValue).buffer) as unknown as [
      number,
      number,
    ];
    const { oneHot: write } = frame.functions<Types>(module);
    write(frame.address(indices), sizeOf(indices!.shape), depth, on, off, dtype === 'bool' ? 1 : 4, frame.address(y));
    return y;
  },
};

/** A product of nothing is 1; tfjs leaves it uninitialised. */
export const emptyProduct: Standin = {
  name: 'Prod',
  serves: ({ x }) => x!.dtype === 'float32' && sizeOf(x!.shape) === 0,
  run: ({ x }, attrs, frame) => {
    const axes = util.parseAxisParam(attrs['axis'] as unknown as number[], [...x!.shape]);
    const [kept] = backend_util.computeOutAndReduceShapes([...x!.shape], axes);
    const shape = attrs['keepDims'] === true ? backend_util.expandShapeToKeepDim(kept, axes) : kept;
    return frame.call('Fill', {}, { shape, value: 1, dtype: 'float32' });
  },
};
