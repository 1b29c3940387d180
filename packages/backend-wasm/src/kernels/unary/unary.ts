import { sizeOf } from '@evenkeel/core';
import type { Module, Standin } from '../frame.ts';
import relaxed from './unary.relaxed.wasm.ts';
import simd from './unary.wasm.ts';

const module: Module = { simd, relaxed };

/** tfjs' kernels by the number that `map` knows them by; and the attribute that is their parameter. */
const FUNCTIONS: readonly (readonly [string, string?])[] = [
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
];

/** Functions that tfjs computes one number at a time. */
export const unary: readonly Standin[] = FUNCTIONS.map(([name, parameter], kind) => ({
  name,
  serves: ({ x }) => x!.dtype === 'float32',
  run: ({ x }, attrs, frame) => {
    const y = frame.output(x!.shape);
    const alpha = parameter === undefined ? 0 : Number(attrs[parameter]);
    frame.functions<'map'>(module).map(kind, frame.address(x), frame.address(y), sizeOf(y.shape), alpha);
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
