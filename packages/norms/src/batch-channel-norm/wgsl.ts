import { wgslKernel, type DeviceInfo, type KernelCall, type WgslDispatch, type WgslKernel } from '@evenkeel/core';
import { asChannels, asSlabs } from '../axes.ts';
import moments from '../evo-norm/b-moments.wgsl.ts';
import { columnDispatch, columnShaders } from '../wgsl/columns.ts';
import { itemSize } from '../wgsl/items.ts';
import { laneDispatch, laneShaders } from '../wgsl/lanes.ts';
import { teamDispatch, teamShaders } from '../wgsl/teams.ts';
import type { BatchChannelNormAttributes, BatchChannelNormEstimateAttributes, EstimatedBatchNormAttributes } from './attributes.ts';
import coefficients from './coefficients.wgsl.ts';
import dx from './dx.wgsl.ts';
import estimatedCoefficients from './estimated-coefficients.wgsl.ts';
import estimatedStatistics from './estimated-statistics.wgsl.ts';
import givenStatistics from './given-statistics.wgsl.ts';
import gradientCoefficients from './gradient-coefficients.wgsl.ts';
import gradientSums from './gradient-sums.wgsl.ts';
import noStatistics from './no-statistics.wgsl.ts';
import normalize from './normalize.wgsl.ts';
import parameters from './parameters.wgsl.ts';
import parts from './parts.wgsl.ts';
import statistics from './statistics.wgsl.ts';

/** Positions a thread works on where nothing is summed: enough to make up for reading the sample's coefficients. */
const TILE = 16;

interface Slabs {
  readonly samples: number;
  readonly positions: number;
  readonly channels: number;
}

/** Samples are worked on in parts, where there are few: enough of them to keep a GPU busy, few enough that merging them costs little. */
function layoutOf(slabs: Slabs) {
  const { samples, positions, channels } = slabs;
  const rowsPerPart = Math.min(positions, Math.max(16, Math.ceil((positions * samples) / 128)));
  const size = itemSize(channels);
  return { ...slabs, parts: Math.ceil(positions / rowsPerPart), rowsPerPart, size, width: channels / size } as const;
}

type Layout = ReturnType<typeof layoutOf>;

/** Uniforms of what works on parts, of `width` columns. */
const partUniforms = ({ samples, positions, parts: count, rowsPerPart }: Layout, width: number) =>
  ({ samples, positions, parts: count, rows_per_part: rowsPerPart, width }) as const;

function overParts(name: string, layout: Layout, device: DeviceInfo): WgslDispatch {
  const { samples, parts: count, size, width } = layout;
  return { ...laneDispatch(name, size, samples * count, width, device), uniforms: partUniforms(layout, width) };
}

/** Starts a thread for each column and each tile of a sample's positions. */
function overTiles(name: string, { samples, positions, channels, size }: Layout): WgslDispatch {
  const tiles = Math.ceil(positions / TILE);
  return columnDispatch(
    name,
    size,
    { rows: samples * tiles, columns: channels, rowsPerBlock: 1 },
    { samples, positions, tiles, tile: TILE },
  );
}

/** Starts a team for each group of channels. */
function overGroups(call: KernelCall<BatchChannelNormAttributes>, layout: Layout, device: DeviceInfo, more: object): WgslDispatch {
  const { numGroups, epsilon, perChannel } = call.attrs;
  const { channels } = layout;
  const { gamma, beta, channelGamma } = call.inputs;
  return {
    ...teamDispatch(numGroups, channels / numGroups, 1, device),
    uniforms: {
      teams: numGroups,
      ...partUniforms(layout, channels),
      group_width: channels / numGroups,
      per_channel: Number(perChannel),
      epsilon,
      has_gamma: gamma ? 1 : 0,
      has_beta: beta ? 1 : 0,
      has_channel_gamma: channelGamma ? 1 : 0,
      ...more,
    },
  };
}

/** Three dispatches: moments of each part of a sample, coefficients of each group, the normalization. */
function forward<A extends BatchChannelNormAttributes>(
  estimates: string,
  handOver: string,
  rows: number,
  rateOf: (attrs: A) => number,
): WgslKernel<A> {
  return wgslKernel({
    shaders: {
      ...laneShaders('moments', moments),
      ...teamShaders(`${coefficients}${parts}${estimates}`),
      ...columnShaders('normalize', `${normalize}${handOver}`),
    },
    plan: (call, device) => {
      const layout = layoutOf(asSlabs(call.inputs['x']!.shape));
      const { samples, channels, parts: count } = layout;
      return {
        scratch: {
          moments: { shape: [samples, count, 2, channels], dtype: 'float32' },
          coefficients: { shape: [3 * samples + rows, channels], dtype: 'float32' },
        },
        dispatches: [
          overParts('moments', layout, device),
          overGroups(call, layout, device, { rate: rateOf(call.attrs), has_channel_beta: call.inputs['channelBeta'] ? 1 : 0 }),
          overTiles('normalize', layout),
        ],
      };
    },
  });
}

export const batchChannelNormWgsl = (): WgslKernel<BatchChannelNormEstimateAttributes> =>
  forward(estimatedStatistics, statistics, 4, ({ updateRate }) => updateRate);

export const batchChannelNormInferenceWgsl = (): WgslKernel<BatchChannelNormAttributes> =>
  forward(givenStatistics, noStatistics, 0, () => 0);

/** Four dispatches: sums of each part of a sample, coefficients of each group, dx, the gradients of the parameters. */
export const batchChannelNormGradWgsl = (): WgslKernel<BatchChannelNormAttributes> =>
  wgslKernel({
    shaders: {
      ...laneShaders('sums', gradientSums),
      ...teamShaders(gradientCoefficients),
      ...columnShaders('dx', dx),
      parameters: { code: parameters },
    },
    plan: (call, device) => {
      const layout = layoutOf(asSlabs(call.inputs['x']!.shape));
      const { samples, channels, parts: count } = layout;
      const { numGroups, perChannel } = call.attrs;
      return {
        scratch: {
          partials: { shape: [samples, count, 4, channels], dtype: 'float32' },
          coefficients: { shape: [4 * samples + 4, channels], dtype: 'float32' },
        },
        dispatches: [
          overParts('sums', layout, device),
          overGroups(call, layout, device, {}),
          overTiles('dx', layout),
          {
            shader: 'parameters',
            uniforms: { samples, width: channels, span: perChannel ? 1 : channels / numGroups },
            workgroups: Math.ceil(channels / 64),
          },
        ],
      };
    },
  });

/** Three dispatches: moments of each part of the batch, coefficients of each channel, the normalization. */
export const estimatedBatchNormWgsl = (): WgslKernel<EstimatedBatchNormAttributes> =>
  wgslKernel({
    shaders: {
      ...laneShaders('moments', moments),
      coefficients: { code: `${estimatedCoefficients}${parts}${estimatedStatistics}` },
      ...columnShaders('normalize', `${normalize}${statistics}`),
    },
    plan: ({ inputs, attrs: { epsilon, updateRate } }, device) => {
      const { rows, channels } = asChannels(inputs['x']!.shape);
      const layout = layoutOf({ samples: 1, positions: rows, channels });
      const affine = { has_gamma: inputs['gamma'] ? 1 : 0, has_beta: inputs['beta'] ? 1 : 0 };
      return {
        scratch: {
          moments: { shape: [layout.parts, 2, channels], dtype: 'float32' },
          coefficients: { shape: [7, channels], dtype: 'float32' },
        },
        dispatches: [
          overParts('moments', layout, device),
          {
            shader: 'coefficients',
            uniforms: { ...partUniforms(layout, channels), epsilon, rate: updateRate, ...affine },
            workgroups: Math.ceil(channels / 64),
          },
          overTiles('normalize', layout),
        ],
      };
    },
  });
