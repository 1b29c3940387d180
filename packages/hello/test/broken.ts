// Hello with one defect at a time, each with the check that finds it.
import { add, mul, tensor } from '@tensorflow/tfjs-core';
import { defineOp, type Plugin, type WasmKernel } from '@evenkeel/core';
import { HelloNorm, HelloNormGrad } from '../src/op.ts';
import { owner } from '../src/owner.ts';
import { helloNormWasm } from '../src/wasm.ts';

const { definition } = HelloNorm;

function withOp(changes: Partial<typeof definition>): Plugin {
  return { ...owner, ops: [defineOp({ ...definition, ...changes })] };
}

function withWasm(kernel: Partial<WasmKernel<{ epsilon: number }>>): Plugin {
  return withOp({ kernels: () => [{ ...helloNormWasm(), ...kernel }] });
}

/** By what is wrong: the check that must find it, and the plugin. */
export const broken: Readonly<Record<string, readonly [check: string, plugin: () => Plugin]>> = {
  // #region broken
  'a kernel that forgets epsilon': [
    'values',
    () =>
      withWasm({
        plan: (call) => helloNormWasm().plan({ ...call, attrs: { epsilon: 0 } }),
      }),
  ],
  'a kernel that quietly serves nothing': ['kernel', () => withWasm({ supports: () => 'not today' })],
  'a gradient that is 2 % too large': [
    'differences',
    () =>
      withOp({
        gradient: (dy, { x, gamma }, attrs) => {
          const { dx, dgamma } = HelloNormGrad({ x, gamma, dy }, attrs);
          return { x: mul(dx, 1.02), gamma: dgamma };
        },
      }),
  ],
  // Without kernels: one would write beyond an output that is too small, over what else is on the heap.
  'a shape that is declared wrong': ['declaration', () => withOp({ output: ({ gamma }) => gamma, kernels: () => [] })],
  'a reference that changes from call to call': [
    'repeatable',
    () => {
      let calls = 0;
      return withOp({ reference: (inputs, attrs) => add(definition.reference(inputs, attrs), tensor(calls++ * 1e-6)), kernels: () => [] });
    },
  ],
  'a name outside of its package': ['names', () => withOp({ name: '@somebody/else/HelloNorm' })],
  // #endregion broken
};
