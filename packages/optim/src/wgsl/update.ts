import { sizeOf, type KernelCall, type WgslDispatch } from '@evenkeel/core';

/** What every shader of an update is told: how many elements there are, and whether there is a scale. */
export const updateUniforms = (inputs: KernelCall['inputs']): { size: number; has_scale: number } => ({
  size: sizeOf(inputs['value']!.shape),
  has_scale: inputs['scale'] ? 1 : 0,
});

/** Starts the shader `step`, an element a thread. */
export function updateDispatch(inputs: KernelCall['inputs'], uniforms: Readonly<Record<string, number>>): WgslDispatch {
  const common = updateUniforms(inputs);
  return { shader: 'step', uniforms: { ...common, ...uniforms }, workgroups: Math.ceil(common.size / 64) };
}
