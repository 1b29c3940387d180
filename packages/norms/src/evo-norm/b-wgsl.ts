import { wgslKernel, type DeviceInfo, type KernelCall, type WgslDispatch, type WgslKernel } from '@evenkeel/core';
import { asSlabs } from '../axes.ts';
import { columnDispatch, columnShaders } from '../wgsl/columns.ts';
import { itemSize } from '../wgsl/items.ts';
import { laneDispatch, laneShaders } from '../wgsl/lanes.ts';
import type { EvoNormBAttributes } from './b-attributes.ts';
import coefficients from './b-coefficients.wgsl.ts';
import divide from './b-divide.wgsl.ts';
import dx from './b-dx.wgsl.ts';
import inferenceCoefficients from './b-inference-coefficients.wgsl.ts';
import inference from './b-inference.wgsl.ts';
import moments from './b-moments.wgsl.ts';
import own from './b-own.wgsl.ts';
import slope from './b-slope.wgsl.ts';
import sums from './b-sums.wgsl.ts';
import totals from './b-totals.wgsl.ts';
import training from './evo-norm-b.wgsl.ts';

/** Rows a thread works on where nothing is summed: enough to make up for reading the channel's parameters. */
const ROWS_PER_THREAD = 8;

/** Samples are worked on in parts, where there are few: enough of them to keep a GPU busy, few enough that merging them costs little. */
function layout({ inputs, attrs: { variant, epsilon } }: KernelCall<EvoNormBAttributes>, wanted: number) {
  const { samples, positions, channels } = asSlabs(inputs['x']!.shape);
  const rowsPerPart = Math.min(positions, Math.max(16, Math.ceil((positions * samples) / wanted)));
  const parts = Math.ceil(positions / rowsPerPart);
  const size = itemSize(channels);
  const given = { has_gamma: inputs['gamma'] ? 1 : 0, has_v: inputs['v'] ? 1 : 0 };
  const common = { samples, positions, parts, epsilon, variant: Number(variant[1]) };
  return { samples, positions, channels, parts, rowsPerPart, size, width: channels / size, given, common } as const;
}

type Layout = ReturnType<typeof layout>;

function momentsDispatch({ samples, positions, parts, rowsPerPart, size, width }: Layout, device: DeviceInfo): WgslDispatch {
  const uniforms = { samples, positions, parts, rows_per_part: rowsPerPart, width };
  return { ...laneDispatch('moments', size, samples * parts, width, device), uniforms };
}

/** Two dispatches: moments of each part of a sample, then their merging and the division. */
function forward(text: string): WgslKernel<EvoNormBAttributes> {
  return wgslKernel({
    shaders: { ...laneShaders('moments', moments), ...laneShaders('divide', `${text}${divide}`) },
    plan: (call, device) => {
      const plan = layout(call, 128);
      const { samples, parts, rowsPerPart, channels, size, width, given, common } = plan;
      const uniforms = { ...common, ...given, rows_per_part: rowsPerPart, width, has_beta: call.inputs['beta'] ? 1 : 0 };
      return {
        scratch: { moments: { shape: [samples, parts, 2, channels], dtype: 'float32' } },
        dispatches: [momentsDispatch(plan, device), { ...laneDispatch('divide', size, samples * parts, width, device), uniforms }],
      };
    },
  });
}

/** Five dispatches: moments of each part of a sample, their merging, sums of each part, of them what dx needs of the batch, dx. */
function gradient(text: string, isTraining: boolean): WgslKernel<EvoNormBAttributes> {
  return wgslKernel({
    shaders: {
      ...laneShaders('moments', moments),
      own: { code: own },
      ...columnShaders('sums', `${sums}${slope}`),
      coefficients: { code: `${text}${totals}` },
      ...columnShaders('dx', `${dx}${slope}`),
    },
    plan: (call, device) => {
      const plan = layout(call, 512);
      const { samples, positions, channels, parts, rowsPerPart, size, given, common } = plan;
      const { has_gamma, has_v } = given;
      const { epsilon, variant } = common;
      const rows = samples * positions;
      // As many blocks as there are parts of samples; which rows a part has, the kernel knows.
      const grid = { rows: samples * parts * rowsPerPart, columns: channels, rowsPerBlock: rowsPerPart };
      return {
        scratch: {
          moments: { shape: [samples, parts, 2, channels], dtype: 'float32' },
          own: { shape: [3 * samples + 2, channels], dtype: 'float32' },
          partials: { shape: [samples, parts, 5, channels], dtype: 'float32' },
        },
        dispatches: [
          momentsDispatch(plan, device),
          {
            shader: 'own',
            uniforms: { ...common, rows_per_part: rowsPerPart, width: channels },
            workgroups: Math.ceil((samples * channels) / 64),
          },
          columnDispatch('sums', size, grid, { positions, parts, epsilon, variant, has_v }),
          { shader: 'coefficients', uniforms: { ...common, width: channels, has_gamma }, workgroups: Math.ceil(channels / 64) },
          columnDispatch(
            'dx',
            size,
            { rows, columns: channels, rowsPerBlock: ROWS_PER_THREAD },
            { samples, positions, epsilon, variant, ...given, training: isTraining ? 1 : 0 },
          ),
        ],
      };
    },
  });
}

export const evoNormBWgsl = (): WgslKernel<EvoNormBAttributes> => forward(training);
export const evoNormBInferenceWgsl = (): WgslKernel<EvoNormBAttributes> => forward(inference);
export const evoNormBGradWgsl = (): WgslKernel<EvoNormBAttributes> => gradient(coefficients, true);
export const evoNormBInferenceGradWgsl = (): WgslKernel<EvoNormBAttributes> => gradient(inferenceCoefficients, false);
