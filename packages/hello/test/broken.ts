// Hello with one defect at a time, one for every check that there is. What `checkPlugin` says of each stands in reports.txt.
import { add, customGrad, div, engine, getBackend, keep, mean, mul, scalar, sqrt, square, tensor, zerosLike } from '@tensorflow/tfjs-core';
import type { Tensor } from '@tensorflow/tfjs-core';
import { defineOp, type Plugin, type WasmKernel } from '@evenkeel/core';
import type { CheckName, CheckPluginOptions, OpCase, OpcheckOptions } from '@evenkeel/core/testing';
import { checks } from '../src/checks.ts';
import { HelloNormalization } from '../src/layer.ts';
import { HelloNorm, HelloNormGrad } from '../src/op.ts';
import { owner } from '../src/owner.ts';
import { helloNormWasm } from '../src/wasm.ts';
import { helloNormWgsl } from '../src/wgsl.ts';

const { definition } = HelloNorm;
const cases = [...(checks.cases['HelloNorm'] as OpCase[])];

export interface Broken {
  readonly plugin: Plugin;
  readonly options: CheckPluginOptions;
  /** A plugin that is in use already. */
  readonly beside?: Plugin;
}

function withOp(changes: Partial<typeof definition>, options: OpcheckOptions & { cases?: OpCase[] } = {}): Broken {
  const op = defineOp({ ...definition, ...changes });
  return { plugin: { ...owner, ops: [op] }, options: { backends: ['cpu', 'wasm'], cases: { [op.id]: { cases, ...options } } } };
}

/** The op with a reference alone. */
function withBareOp(changes: Partial<typeof definition>): Broken {
  const { name, inputs, attrs, check, reference } = definition;
  const op = defineOp({ name, owner, inputs, attrs: attrs!, check: check!, reference, ...changes });
  return { plugin: { ...owner, ops: [op] }, options: { backends: ['cpu', 'wasm'], cases: { [op.id]: cases } } };
}

function withWasm(kernel: Partial<WasmKernel<{ epsilon: number }>>, options: OpcheckOptions & { cases?: OpCase[] } = {}): Broken {
  return withOp({ kernels: () => [{ ...helloNormWasm(), ...kernel }] }, options);
}

/** The tensor, which counts as a constant where it is differentiated. */
const constant = customGrad((...args) => ({ value: add(args[0] as Tensor, 0), gradFunc: (dy: Tensor) => zerosLike(dy) }));

/** By the check that must fail. */
export const broken: Readonly<Record<CheckName, () => Broken>> = {
  // #region values
  // The kernel forgets epsilon.
  values: () => withWasm({ plan: (call) => helloNormWasm().plan({ ...call, attrs: { epsilon: 0 } }) }),
  // #endregion values

  // #region kernel
  // The kernel quietly serves nothing.
  kernel: () => withWasm({ supports: () => 'not today' }),
  // #endregion kernel

  // #region gradient
  // The gradient of x is 2 % too large.
  gradient: () =>
    withOp({
      gradient: (dy, { x, gamma }, attrs) => {
        const { dx, dgamma } = HelloNormGrad({ x, gamma, dy }, attrs);
        return { x: mul(dx, 1.02), gamma: dgamma };
      },
    }),
  // #endregion gradient

  // #region differences
  // The op differentiates as its reference does, and that takes the mean for a constant.
  differences: () =>
    withBareOp({
      reference: ({ x, gamma }, { epsilon }) => mul(div(x, sqrt(add(constant(mean(square(x), -1, true)), epsilon))), gamma),
    }),
  // #endregion differences

  // #region second-order
  // The gradient is right, and a number that nothing can differentiate.
  'second order': () =>
    withOp({
      gradient: (dy, { x, gamma }, attrs) => {
        const { dx, dgamma } = HelloNormGrad({ x, gamma, dy }, attrs);
        return { x: tensor(dx.dataSync(), dx.shape), gamma: dgamma };
      },
    }),
  // #endregion second-order

  // #region declaration
  // The shape is declared wrong. Without kernels: one would write beyond an output that is too small, over what else is on the heap.
  declaration: () => withOp({ output: ({ gamma }) => gamma, kernels: () => [] }),
  // #endregion declaration

  // #region compile
  // The shader does not compile.
  compile: () => {
    const { shaders, ...rest } = helloNormWgsl();
    const code = shaders['forward']!.code.replace('inverseSqrt', 'inverseRoot');
    const { plugin, options } = withOp({ kernels: () => [{ ...rest, shaders: { forward: { code } } }] });
    return { plugin, options: { ...options, backends: ['webgpu'] } };
  },
  // #endregion compile

  // #region repeatable
  // The reference changes from call to call.
  repeatable: () => {
    let calls = 0;
    return withOp({ reference: (inputs, attrs) => add(definition.reference(inputs, attrs), tensor(calls++ * 1e-6)), kernels: () => [] });
  },
  // #endregion repeatable

  // #region slices
  // The reference reads from where the memory begins, not from where its slice of it does.
  slices: () =>
    withOp(
      {
        kernels: () => [],
        reference: ({ x, gamma }, attrs) => {
          if (getBackend() !== 'cpu') return definition.reference({ x, gamma }, attrs);
          const whole = new Float32Array(x.dataSync().buffer, 0, x.size);
          return definition.reference({ x: tensor(whole.slice(), x.shape), gamma }, attrs);
        },
      },
      { gradient: false },
    ),
  // #endregion slices

  // #region inputs-unchanged
  // The kernel works in place, on its input.
  'inputs unchanged': () =>
    withWasm(
      {
        plan: (call) => {
          const [first] = helloNormWasm().plan(call).calls;
          const [x, gamma, , ...rest] = first!.args;
          return { calls: [first!, { export: 'forward', args: [x!, gamma!, x!, ...rest] }] };
        },
      },
      { gradient: false },
    ),
  // #endregion inputs-unchanged

  // #region no-aliases
  // The output is the input's memory, which tfjs does not know: it is freed with the first of the two.
  'no aliases': () =>
    withOp(
      {
        kernels: () => [],
        reference: ({ x, gamma }, attrs) => {
          const { dataId, shape, dtype } = x;
          return x.size === 15 ? engine().makeTensorFromTensorInfo({ dataId, shape, dtype }) : definition.reference({ x, gamma }, attrs);
        },
      },
      { gradient: false },
    ),
  // #endregion no-aliases

  // #region no-leaks
  // Every call keeps a tensor.
  'no leaks': () => withOp({ check: () => void keep(scalar(1)) }),
  // #endregion no-leaks

  // #region empty-batch
  // A batch of nothing gets a row.
  'empty batch': () => withOp({ output: ({ x }) => ({ shape: x.shape.map((length) => length || 1), dtype: 'float32' }) }),
  // #endregion empty-batch

  // #region bad-calls
  // Nobody looks at epsilon.
  'bad calls': () => withOp({ check: () => undefined }),
  // #endregion bad-calls

  // #region property
  // The kernel is right for rows of 4, 8, 12 and so on. Its only case is such a row; its property tries others.
  property: () =>
    withWasm(
      {
        plan: (call) => helloNormWasm().plan({ ...call, attrs: { epsilon: call.inputs['x']!.shape[0]! % 4 === 0 ? 0.1 : 0.2 } }),
      },
      {
        cases: [{ inputs: { x: { shape: [8] }, gamma: { shape: [8] } }, attrs: { epsilon: 0.1 } }],
        property: async (holds) => {
          for (let n = 8; n < 12; n++) await holds({ inputs: { x: { shape: [n] }, gamma: { shape: [n] } }, attrs: { epsilon: 0.1 } });
        },
      },
    ),
  // #endregion property

  // #region names
  // The op's name lies outside of its package.
  names: () => withOp({ name: '@somebody/else/HelloNorm' }),
  // #endregion names

  // #region registration
  // Another plugin has a layer of this name.
  registration: () => ({
    plugin: { ...owner, layers: [HelloNormalization] },
    options: { cases: {}, backends: ['cpu'] },
    beside: { name: 'evenkeel-plugin-greeting', version: '1.0.0', layers: [HelloNormalization] },
  }),
  // #endregion registration

  // #region cases
  // Nobody says how to call the op of the gradient.
  cases: () => ({ plugin: { ...owner, ops: [HelloNorm, HelloNormGrad] }, options: { cases: { HelloNorm: cases }, backends: ['cpu'] } }),
  // #endregion cases

  // #region layers
  // The layer does not save its epsilon.
  layers: () => {
    class Forgetful extends HelloNormalization {
      override getConfig(): ReturnType<HelloNormalization['getConfig']> {
        const { epsilon: _, ...rest } = super.getConfig();
        return rest;
      }
    }
    return { plugin: { ...owner, layers: [Forgetful] }, options: { cases: {}, layers: checks.layers!, backends: ['cpu'] } };
  },
  // #endregion layers
};
