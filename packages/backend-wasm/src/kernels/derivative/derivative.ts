import { sizeOf } from '@evenkeel/core';
import type { Module, Standin } from '../frame.ts';
import simd from './derivative.wasm.ts';

const module: Module = { simd };

/** tfjs' kernels by the number that `differentiate` knows them by. */
const FUNCTIONS = ['Tanh', 'Sigmoid', 'Relu', 'Relu6', 'ClipByValue', 'Square'] as const;

export type Differentiable = (typeof FUNCTIONS)[number];

/** Ours: dy times the derivative of `of`, from its result (tanh, sigmoid) or its argument. */
export const derivative: Standin = {
  name: 'EvenkeelDerivative',
  run: ({ dy, v }, { of, least = 0, most = 0 }, frame) => {
    const dx = frame.output(v!.shape);
    const { differentiate } = frame.functions<'differentiate'>(module);
    const kind = FUNCTIONS.indexOf(of as Differentiable);
    differentiate(kind, frame.address(dy), frame.address(v), frame.address(dx), sizeOf(v!.shape), Number(least), Number(most));
    return dx;
  },
};
