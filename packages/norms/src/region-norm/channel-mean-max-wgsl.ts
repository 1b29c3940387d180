import { wgslKernel, type WgslKernel } from '@evenkeel/core';
import { asChannels } from '../axes.ts';
import { FOUR, itemSize, ONE, variant } from '../wgsl/items.ts';
import gradient from './channel-mean-max-gradient.wgsl.ts';
import forward from './channel-mean-max.wgsl.ts';

const LARGEST_OF_ONE = 'fn largest(item: Item) -> f32 { return item; }';
const LARGEST_OF_FOUR = 'fn largest(item: Item) -> f32 { return max(max(item.x, item.y), max(item.z, item.w)); }';

/** One dispatch. */
export const channelMeanMaxWgsl = (): WgslKernel<object> =>
  wgslKernel({
    shaders: { main: { code: `${forward}${ONE}${LARGEST_OF_ONE}` }, main4: { code: `${forward}${FOUR}${LARGEST_OF_FOUR}` } },
    plan: ({ inputs }) => {
      const { rows, channels } = asChannels(inputs['x']!.shape);
      const size = itemSize(channels);
      return {
        dispatches: [
          { shader: variant('main', size), uniforms: { rows, width: channels / size, channels }, workgroups: Math.ceil(rows / 64) },
        ],
      };
    },
  });

/** One dispatch. */
export const channelMeanMaxGradWgsl = (): WgslKernel<object> =>
  wgslKernel({
    shaders: { main: { code: gradient } },
    plan: ({ inputs }) => {
      const { rows, channels } = asChannels(inputs['x']!.shape);
      return { dispatches: [{ shader: 'main', uniforms: { rows, width: channels, channels }, workgroups: Math.ceil(rows / 64) }] };
    },
  });
