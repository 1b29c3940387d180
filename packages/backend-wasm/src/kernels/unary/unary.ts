import type { NamedAttrMap } from '@tensorflow/tfjs-core';
import { sizeOf } from '@evenkeel/core';
import type { Module, Standin } from '../frame.ts';
import relaxed from './unary.relaxed.wasm.ts';
import simd from './unary.wasm.ts';

const module: Module = { simd, relaxed };

/** By the number that `map` knows it by: tfjs' kernel, and the attributes, or the numbers, that are its parameters. */
const FUNCTIONS: readonly (readonly [name: string, alpha?: string | number, most?: string | number])[] = [
  ['Exp'],
  ['Expm1'],
  ['Log'],
  ['Log1p'],
  ['Tanh'],
  ['Selu'],
  ['Softplus'],
  ['Erf'],
  ['Sqrt'],
  ['Rsqrt'],
  ['Reciprocal'],
  ['Sign'],
  ['LeakyRelu', 'alpha'],
  ['Step', 'alpha'],
  ['ClipByValue', 'clipValueMin', 'clipValueMax'],
];

const parameter = (attrs: NamedAttrMap, name: string | number = 0): number => (typeof name === 'number' ? name : Number(attrs[name]));

/** Functions that tfjs computes one number at a time. */
export const unary: readonly Standin[] = FUNCTIONS.map(([name, alpha, most], kind) => ({
  name,
  serves: ({ x }) => x!.dtype === 'float32',
  run: ({ x }, attrs, frame) => {
    const y = frame.output(x!.shape);
    const { map } = frame.functions<'map'>(module);
    map(kind, frame.address(x), frame.address(y), sizeOf(y.shape), parameter(attrs, alpha), parameter(attrs, most));
    return y;
  },
}));

export const eluGrad: Standin = {
  name: 'EluGrad',
  serves: ({ dy, y }) => dy!.dtype === 'float32' && y!.dtype === 'float32',
  run: ({ dy, y }, _, frame) => {
    const dx = frame.output(y!.shape);
    frame.functions<'eluGradient'>(module).eluGradient(frame.address(dy), frame.address(y), frame.address(dx), sizeOf(y!.shape));
    return dx;
  },
};

const CLIP = FUNCTIONS.findIndex(([name]) => name === 'ClipByValue');

/** tfjs' makes a NaN 0. */
export const relu6: Standin = {
  name: 'Relu6',
  serves: ({ x }) => x!.dtype === 'float32',
  run: ({ x }, _, frame) => {
    const y = frame.output(x!.shape);
    frame.functions<'map'>(module).map(CLIP, frame.address(x), frame.address(y), sizeOf(y.shape), 0, 6);
    return y;
  },
};

/** tfjs' takes the bits of an int32 for a float32. */
export const clipIntegers: Standin = {
  name: 'ClipByValue',
  serves: ({ x }) => x!.dtype === 'int32',
  run: ({ x }, attrs, frame) => {
    const y = frame.output(x!.shape, 'int32');
    const least = Number(attrs['clipValueMin']);
    const most = Number(attrs['clipValueMax']);
    frame.write(
      frame.address(y),
      Int32Array.from(frame.read(x!), (value) => Math.min(most, Math.max(least, value))),
    );
    return y;
  },
};
