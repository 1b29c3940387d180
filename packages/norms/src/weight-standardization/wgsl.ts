import { wgslKernel, type WgslKernel } from '@evenkeel/core';
import { asChannels } from '../axes.ts';
import { itemSize } from '../wgsl/items.ts';
import { laneDispatch, laneShaders } from '../wgsl/lanes.ts';
import { deviationOf, type WeightStandardizationAttributes } from './variants.ts';
import gradient from './weight-standardization-grad.wgsl.ts';
import forward from './weight-standardization.wgsl.ts';

/** One dispatch: a filter's weights are summed by the lanes of one team. */
function kernel(code: string): WgslKernel<WeightStandardizationAttributes> {
  return wgslKernel({
    shaders: laneShaders('filters', code),
    plan: ({ inputs, attrs: { variant, epsilon } }, device) => {
      const { rows, channels } = asChannels(inputs['kernel']!.shape);
      const { less, insideRoot } = deviationOf(variant);
      const size = itemSize(channels);
      const width = channels / size;
      const uniforms = { rows, width, count: rows - less, inside_root: Number(insideRoot), epsilon };
      return { dispatches: [{ ...laneDispatch('filters', size, 1, width, device), uniforms }] };
    },
  });
}

export const weightStandardizationWgsl = (): WgslKernel<WeightStandardizationAttributes> => kernel(forward);

export const weightStandardizationGradWgsl = (): WgslKernel<WeightStandardizationAttributes> => kernel(gradient);
