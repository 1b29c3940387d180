import { getKernel, registerKernel, unregisterKernel, type KernelConfig } from '@tensorflow/tfjs-core';
import { configure, type Standin } from './frame.ts';
import { conv2d, conv2dBackpropFilter, conv2dBackpropInput, fusedConv2d } from './conv2d/conv2d.ts';
import {
  depthwiseConv2d,
  depthwiseConv2dBackpropFilter,
  depthwiseConv2dBackpropInput,
  fusedDepthwiseConv2d,
} from './depthwise/depthwise.ts';
import { complex } from './complex/complex.ts';
import { fft } from './fft/fft.ts';
import { einsum } from './einsum/einsum.ts';
import { completeGradients } from './gradients.ts';
import { derivative } from './derivative/derivative.ts';
import { shortenGradients } from './short-gradients.ts';
import { unsortedSegmentSum } from './segment-sum/segment-sum.ts';
import { logSoftmax, logSumExp, softmax, softmaxGrad } from './softmax/softmax.ts';
import { moments, norms } from './moments/moments.ts';
import { powers } from './unary/powers.ts';
import { binary, select } from './binary/binary.ts';
import { castToBool, emptyProduct, floorOfIntegers, oneHot, reverseBool } from './types/types.ts';
import { clipIntegers, eluGrad, relu6, unary } from './unary/unary.ts';
import { conv3dBackpropFilter, conv3dBackpropInput } from './conv3d/conv3d.ts';
import { dilation2d } from './dilation2d/dilation2d.ts';
import { avgPool, maxPool, maxPool3d, maxPool3dGrad, maxPoolGrad, maxPoolWithArgmax } from './pool/pool.ts';
import { copies } from './copies/copies.ts';
import { castToSame, identity } from './identity/identity.ts';
import { reductions } from './reduce/reduce.ts';
import { tile } from './tile/tile.ts';
import { transpose } from './transpose/transpose.ts';
import { batchMatMul, fusedMatMul } from './mat-mul/mat-mul.ts';

const standins: readonly Standin[] = [
  batchMatMul,
  fusedMatMul,
  conv2d,
  fusedConv2d,
  conv2dBackpropInput,
  conv2dBackpropFilter,
  depthwiseConv2d,
  fusedDepthwiseConv2d,
  depthwiseConv2dBackpropInput,
  depthwiseConv2dBackpropFilter,
  unsortedSegmentSum,
  einsum,
  ...unary,
  eluGrad,
  relu6,
  clipIntegers,
  ...binary,
  select,
  castToBool,
  castToSame,
  reverseBool,
  ...floorOfIntegers,
  oneHot,
  emptyProduct,
  softmax,
  logSoftmax,
  softmaxGrad,
  derivative,
  logSumExp,
  moments,
  norms,
  powers,
  conv3dBackpropInput,
  conv3dBackpropFilter,
  ...dilation2d,
  maxPool,
  avgPool,
  maxPoolGrad,
  maxPoolWithArgmax,
  maxPool3d,
  maxPool3dGrad,
  ...reductions,
  tile,
  transpose,
  identity,
  ...copies,
  // After those of the same names: complex numbers come first.
  ...complex,
  ...fft,
];

/** The kernels that this package replaces or adds. */
export const kernelNames: readonly string[] = [...new Set(standins.map(({ name }) => name))].toSorted();

/** What we registered, in order, each with what was there before. */
const replaced: { standin: Standin; ours: KernelConfig; original: KernelConfig | undefined }[] = [];

/**
 * Puts our kernels in the place of tfjs' slow, wrong and missing ones on 'wasm'. Safe to call again.
 *
 * @param relaxed - use the variants with fused multiply-add; the engine must have relaxed SIMD
 * @param before - kernels that stand before all others and leave to those what they do not serve
 * @param not - names of kernels that stay tfjs' own, or missing
 */
export function standIn(relaxed = false, before: readonly Standin[] = [], not: ReadonlySet<string> = new Set()): void {
  completeGradients();
  shortenGradients();
  if (replaced.some(({ ours }) => not.has(ours.kernelName))) standDown();
  for (const standin of [...standins, ...before]) {
    if (not.has(standin.name)) continue;
    const current = getKernel(standin.name, 'wasm');
    const ofName = replaced.filter(({ ours }) => ours.kernelName === standin.name);
    if (current && current === ofName.at(-1)?.ours && ofName.some((each) => each.standin === standin)) continue;
    const ours = configure(standin, relaxed);
    if (current) unregisterKernel(standin.name, 'wasm');
    registerKernel(ours);
    replaced.push({ standin, ours, original: current });
  }
}

/** Puts tfjs' kernels back. */
export function standDown(): void {
  for (const { ours, original } of replaced.toReversed()) {
    if (getKernel(ours.kernelName, 'wasm') !== ours) continue;
    unregisterKernel(ours.kernelName, 'wasm');
    if (original) registerKernel(original);
  }
  replaced.length = 0;
}
