import { sizeOf, wgslKernel, type WgslKernel } from '@evenkeel/core';
import gammaGradient from './hello-norm-grad-gamma.wgsl.ts';
import gradient from './hello-norm-grad.wgsl.ts';
import forward from './hello-norm.wgsl.ts';

interface Attributes {
  epsilon: number;
}

/** A tensor [..., n] as rows of n. */
function rowsOf(shape: readonly number[]): { rows: number; width: number } {
  const width = shape.at(-1)!;
  return { rows: sizeOf(shape) / width, width };
}

// #region kernel
/** One dispatch. */
export const helloNormWgsl = (): WgslKernel<Attributes> =>
  wgslKernel({
    shaders: { forward: { code: forward } },
    plan: ({ inputs, attrs: { epsilon } }) => {
      const { rows, width } = rowsOf(inputs['x']!.shape);
      return { dispatches: [{ shader: 'forward', uniforms: { rows, width, epsilon }, workgroups: rows }] };
    },
  });
// #endregion kernel

// #region gradient
/** Two dispatches: dx by rows, which leaves each row's scale behind, then dgamma by columns. */
export const helloNormGradWgsl = (): WgslKernel<Attributes> =>
  wgslKernel({
    shaders: { gradient: { code: gradient }, gamma: { code: gammaGradient } },
    plan: ({ inputs, attrs: { epsilon } }) => {
      const { rows, width } = rowsOf(inputs['x']!.shape);
      return {
        scratch: { scales: { shape: [rows], dtype: 'float32' } },
        dispatches: [
          { shader: 'gradient', uniforms: { rows, width, epsilon }, workgroups: rows },
          { shader: 'gamma', uniforms: { rows, width }, workgroups: Math.ceil(width / 64) },
        ],
      };
    },
  });
// #endregion gradient
