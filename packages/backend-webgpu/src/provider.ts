import { findBackendFactory, registerBackend, removeBackend } from '@tensorflow/tfjs-core';
import { EvenkeelError, isEvenkeelError, type BackendProbe, type BackendProvider } from '@evenkeel/core';
import { adopt } from './adopt.ts';
import { describeAdapter, findGPU, INSTALL_DAWN, installGlobals, requestFullDevice, usefulFeatures } from './gpu.ts';
import { webgpuRunner } from './runner.ts';
import { isGPUBackend, runningBackend } from './tfjs.ts';

/** What the app may say about the backend. */
export interface WebGPUOptions {
  /** Where adapters come from. Default: `navigator.gpu`; in Node Dawn, from the optional peer `webgpu`. */
  readonly gpu?: GPU;
  /** Which of several GPUs. Default 'high-performance'. */
  readonly powerPreference?: GPUPowerPreference;
  /** Whether `backend('auto')` may take an adapter that is software only. Default false: WASM is faster. */
  readonly allowSoftware?: boolean;
}

/** As tfjs has it: before WASM. */
const PRIORITY = 3;

const INSTALL_TFJS = 'npm install @tensorflow/tfjs-backend-webgpu';

const NO_ADAPTER =
  'A GPU with its driver is needed: on Linux a Vulkan loader and driver (on Debian: libvulkan1, mesa-vulkan-drivers), in Chromium there ' +
  'perhaps chrome://flags/#enable-unsafe-webgpu. A software adapter for tests in Node: VK_DRIVER_FILES=/usr/lib/chromium/vk_swiftshader_icd.json';

/** On the factories that we register, by whichever copy of this package. */
const OURS = Symbol.for('@evenkeel/backend-webgpu/factory');

async function requestAdapter(gpu: GPU, { powerPreference = 'high-performance' }: WebGPUOptions): Promise<GPUAdapter | null> {
  return gpu.requestAdapter({ powerPreference });
}

async function probe(options: WebGPUOptions): Promise<BackendProbe> {
  try {
    const { gpu } = await findGPU(options.gpu);
    const adapter = await requestAdapter(gpu, options);
    if (adapter === null) {
      return { available: false, preferred: false, detail: 'WebGPU is there, but it finds no adapter', remedy: NO_ADAPTER };
    }
    const { name, software } = describeAdapter(adapter);
    const features = usefulFeatures(adapter);
    const passedOver = software && options.allowSoftware !== true;
    return {
      available: true,
      preferred: !passedOver,
      detail: passedOver ? `${name} is software: right results, but slower than wasm` : name,
      features,
    };
  } catch (error) {
    const remedy = isEvenkeelError(error, 'MISSING_PEER') ? INSTALL_DAWN : 'use a browser with WebGPU';
    return { available: false, preferred: false, detail: (error as Error).message, remedy };
  }
}

// Imported only when it is wanted: it is large, and with a navigator.gpu it registers its own backend.
async function loadBackend(): Promise<typeof import('@tensorflow/tfjs-backend-webgpu')> {
  try {
    return await import('@tensorflow/tfjs-backend-webgpu');
  } catch (cause) {
    throw new EvenkeelError('MISSING_PEER', `@tensorflow/tfjs-backend-webgpu cannot be loaded; ${INSTALL_TFJS}`, { op: 'backend', cause });
  }
}

async function register(options: WebGPUOptions): Promise<void> {
  const running = runningBackend();
  if (running) {
    // A loss is known only after a turn of the event loop.
    await new Promise((resolve) => setTimeout(resolve));
    if (adopt(running).reports.gone === undefined) return;
    removeBackend('webgpu');
  }
  const source = await findGPU(options.gpu);
  installGlobals(source);
  const { WebGPUBackend } = await loadBackend();
  const registered = findBackendFactory('webgpu') as (object & { [OURS]?: true }) | undefined;
  if (registered?.[OURS]) return;
  // tfjs' own, which asks for a lesser device.
  if (registered) removeBackend('webgpu');
  const factory = async (): Promise<InstanceType<typeof WebGPUBackend>> => {
    const adapter = await requestAdapter(source.gpu, options);
    if (adapter === null) throw new EvenkeelError('BACKEND_UNAVAILABLE', `no WebGPU adapter. ${NO_ADAPTER}`, { op: 'webgpu' });
    const device = await requestFullDevice(adapter);
    const backend: InstanceType<typeof WebGPUBackend> = new WebGPUBackend(device, adapter.info);
    if (isGPUBackend(backend)) adopt(backend);
    return backend;
  };
  registerBackend('webgpu', Object.assign(factory, { [OURS]: true }), PRIORITY);
}

/** tfjs' 'webgpu' backend as core's `backend()` finds and starts it. */
export function webgpuProvider(options: WebGPUOptions): BackendProvider {
  return {
    name: 'webgpu',
    priority: PRIORITY,
    runner: webgpuRunner,
    probe: () => probe(options),
    register: () => register(options),
  };
}
