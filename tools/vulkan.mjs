import { existsSync } from 'node:fs';
import { constants } from 'node:os';
import { swiftShader } from './chromium.mjs';

const loader = '/usr/lib/chromium/libvulkan.so.1';
const installed = ['x86_64', 'aarch64'].some((machine) => existsSync(`/usr/lib/${machine}-linux-gnu/libvulkan.so.1`));

/**
 * Lets WebGPU in Node find an adapter on machines without a GPU: the software driver that Debian's chromium brings.
 * Call it before `webgpu` is imported: Dawn chooses its driver when it loads.
 */
export function useSwiftShader() {
  if (swiftShader === undefined) return;
  process.env.VK_DRIVER_FILES ??= swiftShader;
  // Where the system has no Vulkan loader, chromium's will do: Dawn finds it by name once it is in the process, where NODELETE keeps it
  // although Node refuses it as an addon.
  const RTLD_NODELETE = 0x1000;
  if (installed || !existsSync(loader)) return;
  try {
    process.dlopen({ exports: {} }, loader, constants.dlopen.RTLD_NOW | RTLD_NODELETE);
  } catch {
    // 'Module did not self-register'
  }
}
