import { wgslKernel, type DeviceInfo, type KernelCall, type WgslKernel, type WgslPlan } from '@evenkeel/core';
import { activationCode } from '../activation.ts';
import { asRows } from '../axes.ts';
import { blocksOf, gammaBetaSums, gammaBetaSumsShader } from '../wgsl/columns.ts';
import { itemSize } from '../wgsl/items.ts';
import { activatedTeamShaders, teamDispatch } from '../wgsl/teams.ts';
import addLayerNorm from './add-layer-norm.wgsl.ts';
import layerNormGrad from './layer-norm-grad.wgsl.ts';
import layerNorm from './layer-norm.wgsl.ts';
import type { LayerNormOptions } from './op.ts';

type Attributes = Required<LayerNormOptions>;

function forward({ inputs, attrs: { axes, epsilon, activation } }: KernelCall<Attributes>, device: DeviceInfo): WgslPlan {
  const { rows, width } = asRows(inputs['x']!.shape, axes.length);
  const uniforms = {
    rows,
    width: width / itemSize(width),
    count: width,
    epsilon,
    has_gamma: inputs['gamma'] ? 1 : 0,
    has_beta: inputs['beta'] ? 1 : 0,
    activation: activationCode(activation),
  };
  return { dispatches: [{ ...teamDispatch(rows, width, itemSize(width), device), uniforms }] };
}

/** One dispatch. */
export function layerNormWgsl(): WgslKernel<Attributes> {
  return wgslKernel<Attributes>({ shaders: activatedTeamShaders(layerNorm), plan: forward });
}

/** One dispatch. */
export function addLayerNormWgsl(): WgslKernel<Attributes> {
  return wgslKernel<Attributes>({ shaders: activatedTeamShaders(addLayerNorm), plan: forward });
}

/** Two dispatches: dx with partial sums over columns, then the sums of these. */
export function layerNormGradWgsl(): WgslKernel<Attributes> {
  return wgslKernel<Attributes>({
    shaders: { ...activatedTeamShaders(layerNormGrad), ...gammaBetaSumsShader() },
    plan: ({ inputs, attrs: { axes, epsilon, activation } }, device) => {
      const { rows, width } = asRows(inputs['x']!.shape, axes.length);
      const { blocks, rowsPerBlock } = blocksOf(rows);
      const uniforms = {
        rows,
        width: width / itemSize(width),
        rows_per_block: rowsPerBlock,
        has_gamma: inputs['gamma'] ? 1 : 0,
        has_beta: inputs['beta'] ? 1 : 0,
        has_dsum: inputs['dsum'] ? 1 : 0,
        activation: activationCode(activation),
        count: width,
        epsilon,
      };
      return {
        scratch: { partials: { shape: [blocks, 2, width], dtype: 'float32' } },
        dispatches: [{ ...teamDispatch(blocks, width, itemSize(width), device), uniforms }, gammaBetaSums(blocks, width)],
      };
    },
  });
}
