import type { DeviceInfo } from '@evenkeel/core';

/** Why a device cannot run a kernel that binds so many storage buffers at once, or undefined if it can: WebGPU promises no more than eight. */
export function lacksBindings({ limits }: DeviceInfo, needed: number): string | undefined {
  const found = limits['maxStorageBuffersPerShaderStage'] ?? 8;
  return found >= needed ? undefined : `it binds ${needed} storage buffers, the device allows ${found}`;
}
