import { wasmKernel, type KernelCall, type WasmKernel } from '@evenkeel/core';
import { asChannels, asSlabs } from '../axes.ts';
import { asColumns } from '../wasm-columns.ts';
import { parameters, type Parameters } from '../wasm-parameters.ts';
import type { BatchChannelNormAttributes, BatchChannelNormEstimateAttributes, EstimatedBatchNormAttributes } from './attributes.ts';
import binary from './batch-channel-norm.wasm.ts';

/** Of the batch part and of the channel part, which has as many as it has groups or channels. */
function allParameters(
  call: KernelCall<BatchChannelNormAttributes>,
  channels: number,
  channelPart: Readonly<Record<string, number>>,
): Parameters {
  const { numGroups, perChannel } = call.attrs;
  const batch = parameters(call, channels, { gamma: 1, beta: 0 });
  const channel = parameters(call, perChannel ? channels : numGroups, channelPart);
  return {
    args: [...batch.args, ...channel.args],
    scratch: { ...batch.scratch, ...channel.scratch },
    fills: [...batch.fills, ...channel.fills],
  };
}

function sizesOf({ inputs, attrs }: KernelCall<BatchChannelNormAttributes>) {
  const { samples, positions, channels } = asSlabs(inputs['x']!.shape);
  const { copies, room } = asColumns(positions, channels);
  const sizes = [samples, positions, channels, attrs.numGroups, copies, Number(attrs.perChannel), attrs.epsilon];
  return { samples, channels, room, sizes };
}

export const batchChannelNormWasm = (): WasmKernel<BatchChannelNormEstimateAttributes> =>
  wasmKernel({
    binary,
    plan: (call) => {
      const { samples, channels, room, sizes } = sizesOf(call);
      const { args, scratch, fills } = allParameters(call, channels, { channelGamma: 1, channelBeta: 0 });
      const outputs = ['y', 'newMean', 'newVariance', 'batchMean', 'batchVariance'];
      return {
        scratch: { ...scratch, scratch: 7 * room + 8 * channels * (1 + 2 * samples) },
        calls: [
          ...fills,
          { export: 'training', args: ['x', 'mean', 'variance', ...args, ...outputs, 'scratch', ...sizes, call.attrs.updateRate] },
        ],
      };
    },
  });

export const batchChannelNormInferenceWasm = (): WasmKernel<BatchChannelNormAttributes> =>
  wasmKernel({
    binary,
    plan: (call) => {
      const { channels, room, sizes } = sizesOf(call);
      const { args, scratch, fills } = allParameters(call, channels, { channelGamma: 1, channelBeta: 0 });
      return {
        scratch: { ...scratch, scratch: 7 * room + 24 * channels },
        calls: [...fills, { export: 'inference', args: ['x', 'mean', 'variance', ...args, 'y', 'scratch', ...sizes] }],
      };
    },
  });

export const batchChannelNormGradWasm = (): WasmKernel<BatchChannelNormAttributes> =>
  wasmKernel({
    binary,
    plan: (call) => {
      const { channels, room, sizes } = sizesOf(call);
      const { args, scratch, fills } = allParameters(call, channels, { channelGamma: 1 });
      const outputs = ['dx', 'dgamma', 'dbeta', 'dchannelGamma', 'dchannelBeta'];
      return {
        scratch: { ...scratch, scratch: 8 * room + 56 * channels },
        calls: [...fills, { export: 'gradient', args: ['x', 'dy', 'mean', 'variance', ...args, ...outputs, 'scratch', ...sizes] }],
      };
    },
  });

export const estimatedBatchNormWasm = (): WasmKernel<EstimatedBatchNormAttributes> =>
  wasmKernel({
    binary,
    plan: (call) => {
      const { epsilon, updateRate } = call.attrs;
      const { rows, channels } = asChannels(call.inputs['x']!.shape);
      const { copies, room } = asColumns(rows, channels);
      const { args, scratch, fills } = parameters(call, channels, { gamma: 1, beta: 0 });
      const outputs = ['y', 'newMean', 'newVariance', 'batchMean', 'batchVariance'];
      return {
        scratch: { ...scratch, scratch: 7 * room + 16 * channels },
        calls: [
          ...fills,
          {
            export: 'estimated',
            args: ['x', 'mean', 'variance', ...args, ...outputs, 'scratch', rows, channels, copies, epsilon, updateRate],
          },
        ],
      };
    },
  });
