import { getKernel, registerKernel, unregisterKernel, type KernelConfig } from '@tensorflow/tfjs-core';
import { configure, type Standin } from './frame.ts';
import { conv2d, conv2dBackpropFilter, conv2dBackpropInput, fusedConv2d } from './conv2d/conv2d.ts';
import {
  depthwiseConv2d,
  depthwiseConv2dBackpropFilter,
  depthwiseConv2dBackpropInput,
  fusedDepthwiseConv2d,
} from './depthwise/depthwise.ts';
import { einsum } from './einsum/einsum.ts';
import { completeGradients } from './gradients.ts';
import { unsortedSegmentSum } from './segment-sum/segment-sum.ts';
import { maxPool3d, maxPool3dGrad, maxPoolGrad, maxPoolWithArgmax } from './pool/pool.ts';
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
  maxPoolGrad,
  maxPoolWithArgmax,
  maxPool3d,
  maxPool3dGrad,
];

/** Our configuration and tfjs' own (if it has one) by kernel name. */
const replaced = new Map<string, { ours: KernelConfig; original: KernelConfig | undefined }>();

/**
 * Puts our kernels in the place of tfjs' slow, wrong and missing ones on 'wasm'. Safe to call again.
 *
 * @param relaxed - use the variants with fused multiply-add; the engine must have relaxed SIMD
 */
export function standIn(relaxed = false): void {
  completeGradients();
  for (const standin of standins) {
    const current = getKernel(standin.name, 'wasm');
    if (current && current === replaced.get(standin.name)?.ours) continue;
    const ours = configure(standin, relaxed);
    if (current) unregisterKernel(standin.name, 'wasm');
    registerKernel(ours);
    replaced.set(standin.name, { ours, original: current });
  }
}

/** Puts tfjs' kernels back. */
export function standDown(): void {
  for (const [name, { ours, original }] of replaced) {
    if (getKernel(name, 'wasm') !== ours) continue;
    unregisterKernel(name, 'wasm');
    if (original) registerKernel(original);
  }
  replaced.clear();
}
