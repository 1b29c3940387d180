import { wgslKernel, type KernelCall, type WgslKernel } from '@evenkeel/core';
import { asRows } from '../axes.ts';
import { itemSize } from '../wgsl/items.ts';
import { teamDispatch, teamShaders } from '../wgsl/teams.ts';
import addCrmsNorm from './add-crms-norm.wgsl.ts';
import crmsNormGrad from './crms-norm-grad.wgsl.ts';
import crmsNorm from './crms-norm.wgsl.ts';

interface Attributes {
  epsilon: number;
  padding: number;
}

/** One dispatch, a team a row. `more`: uniforms that only this shader has. */
function kernel(code: string, more: (call: KernelCall<Attributes>) => Record<string, number> = () => ({})): WgslKernel<Attributes> {
  return wgslKernel({
    shaders: teamShaders(code),
    plan: (call, device) => {
      const { epsilon, padding } = call.attrs;
      const { rows, width } = asRows(call.inputs['x']!.shape, 1);
      const size = itemSize(width);
      const uniforms = { rows, width: width / size, d: width + 1 - padding, epsilon, ...more(call) };
      return { dispatches: [{ ...teamDispatch(rows, width, size, device), uniforms }] };
    },
  });
}

export const crmsNormWgsl = (): WgslKernel<Attributes> => kernel(crmsNorm);
export const addCrmsNormWgsl = (): WgslKernel<Attributes> => kernel(addCrmsNorm);
export const crmsNormGradWgsl = (): WgslKernel<Attributes> => kernel(crmsNormGrad, ({ inputs }) => ({ has_dsum: inputs['dsum'] ? 1 : 0 }));
