import { wgslKernel, type DeviceInfo, type KernelCall, type WgslKernel, type WgslPlan } from '@evenkeel/core';
import { activationCode } from '../activation.ts';
import { asRows } from '../axes.ts';
import { blocksOf, gammaSums, gammaSumsShader } from '../wgsl/columns.ts';
import { itemSize } from '../wgsl/items.ts';
import { activatedTeamShaders, teamDispatch } from '../wgsl/teams.ts';
import addRmsNorm from './add-rms-norm.wgsl.ts';
import rmsNormGrad from './rms-norm-grad.wgsl.ts';
import rmsNorm from './rms-norm.wgsl.ts';
import type { RMSNormOptions } from './op.ts';

type Attributes = Required<RMSNormOptions>;

function forward({ inputs, attrs: { epsilon, activation } }: KernelCall<Attributes>, device: DeviceInfo): WgslPlan {
  const { rows, width } = asRows(inputs['x']!.shape, 1);
  const size = itemSize(width);
  const has_gamma = inputs['gamma'] ? 1 : 0;
  const uniforms = { rows, width: width / size, count: width, epsilon, has_gamma, activation: activationCode(activation) };
  return { dispatches: [{ ...teamDispatch(rows, width, size, device), uniforms }] };
}

/** One dispatch. */
export const rmsNormWgsl = (): WgslKernel<Attributes> => wgslKernel({ shaders: activatedTeamShaders(rmsNorm), plan: forward });

/** One dispatch. */
export const addRmsNormWgsl = (): WgslKernel<Attributes> => wgslKernel({ shaders: activatedTeamShaders(addRmsNorm), plan: forward });

/** Two dispatches: dx with a part of dgamma for each block of rows, then the sum of the parts. */
export const rmsNormGradWgsl = (): WgslKernel<Attributes> =>
  wgslKernel({
    shaders: { ...activatedTeamShaders(rmsNormGrad), ...gammaSumsShader() },
    plan: ({ inputs, attrs: { epsilon, activation } }, device) => {
      const { rows, width } = asRows(inputs['x']!.shape, 1);
      const { blocks, rowsPerBlock } = blocksOf(rows);
      const uniforms = {
        rows,
        width: width / itemSize(width),
        rows_per_block: rowsPerBlock,
        has_gamma: inputs['gamma'] ? 1 : 0,
        has_dsum: inputs['dsum'] ? 1 : 0,
        activation: activationCode(activation),
        count: width,
        epsilon,
      };
      return {
        scratch: { partials: { shape: [blocks, width], dtype: 'float32' } },
        dispatches: [{ ...teamDispatch(blocks, width, itemSize(width), device), uniforms }, gammaSums(blocks, width)],
      };
    },
  });
