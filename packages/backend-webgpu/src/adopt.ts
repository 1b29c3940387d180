import type { KernelBackend } from '@tensorflow/tfjs-core';
import { EvenkeelError, type DeviceInfo, type WgslKernel } from '@evenkeel/core';
import { awaitCheck, goneError, newReports, throwFound, type Reports } from './errors.ts';
import { count } from './counters.ts';
import type { Pipeline } from './pipeline.ts';
import { dropCopy, hasCopy, isComplex, onDispatch, type GPUBackend } from './tfjs.ts';

/** What this package keeps of one instance of tfjs' backend. */
export interface Adoption {
  readonly backend: GPUBackend;
  readonly info: DeviceInfo;
  readonly reports: Reports;
  /** By kernel, and then by shader, entry point and constants. */
  readonly pipelines: WeakMap<WgslKernel, Map<string, Pipeline>>;
}

// On the instance itself: two copies of this package on a page must not wrap it twice.
const KEY = Symbol.for('@evenkeel/backend-webgpu/1');

/**
 * Teaches an instance of tfjs' 'webgpu' backend to report errors. It is the instance that is changed, not its class: so one that the app
 * started by itself serves as well.
 */
export function adopt(backend: GPUBackend): Adoption {
  const holder = backend as GPUBackend & { [KEY]?: Adoption };
  return (holder[KEY] ??= wrap(backend));
}

function wrap(backend: GPUBackend): Adoption {
  const reports = newReports();
  watch(backend, reports);
  wrapRead(backend, reports);
  wrapReadSync(backend, reports);
  wrapDispose(backend, reports);
  onDispatch(backend, count);
  return { backend, info: deviceInfo(backend.device), reports, pipelines: new WeakMap() };
}

/** What kernels may know of a device. */
function deviceInfo(device: GPUDevice): DeviceInfo {
  const features = new Set<string>(device.features);
  const limits: Record<string, number> = {};
  // The limits are getters of a prototype: only for-in sees them.
  for (const name in device.limits) {
    const limit: unknown = device.limits[name as keyof GPUSupportedLimits];
    if (typeof limit === 'number') limits[name] = limit;
  }
  const info = device.adapterInfo as { subgroupMinSize?: number; subgroupMaxSize?: number } | undefined;
  const subgroups = features.has('subgroups');
  return {
    features,
    limits,
    // 4 and 128 are the least and the greatest that WebGPU knows.
    subgroupMinSize: subgroups ? info?.subgroupMinSize || 4 : 0,
    subgroupMaxSize: subgroups ? info?.subgroupMaxSize || 128 : 0,
  };
}

async function watchLoss(device: GPUDevice, reports: Reports): Promise<void> {
  const { reason, message } = await device.lost;
  reports.gone ??= { removed: false, reason: [reason, message].filter(Boolean).join(': ') };
}

function watch({ device }: GPUBackend, reports: Reports): void {
  void watchLoss(device, reports);
  device.addEventListener('uncapturederror', ({ error }) => {
    const code = error.constructor.name === 'GPUOutOfMemoryError' ? 'OUT_OF_MEMORY' : 'WGSL';
    reports.found.add(new EvenkeelError(code, `WebGPU reports: ${error.message}`, { cause: error }));
  });
}

function wrapRead(backend: GPUBackend, reports: Reports): void {
  const read = backend.read.bind(backend);
  backend.read = async (dataId) => {
    // Those of now only: what is deferred later may itself wait for this read.
    await Promise.all(reports.pending);
    throwFound(reports);
    const poison = reports.poisoned.get(dataId);
    if (poison) throw poison;
    if (hasCopy(backend, dataId)) return read(dataId);
    const gone = goneError(reports);
    if (gone) throw gone;
    const values = await read(dataId).catch(async (cause: unknown) => {
      // That the device is lost may be known a moment later than that the read failed.
      await new Promise((resolve) => setTimeout(resolve));
      throw goneError(reports) ?? cause;
    });
    const failure = goneError(reports);
    if (failure || reports.found.size > 0) {
      // An error that came up meanwhile may have voided the very commands that should have written this.
      dropCopy(backend, dataId);
      if (failure) throw failure;
      throwFound(reports);
    }
    return values;
  };
}

function wrapReadSync(backend: GPUBackend, reports: Reports): void {
  const readSync = backend.readSync.bind(backend);
  const { vendor = '', architecture = '' } = backend.adapterInfo ?? {};
  const software = /swiftshader|llvmpipe/i.test(`${vendor} ${architecture}`);
  backend.readSync = (dataId) => {
    const poison = reports.poisoned.get(dataId);
    if (poison) throw poison;
    if (hasCopy(backend, dataId) || isComplex(backend, dataId)) return readSync(dataId);
    const gone = goneError(reports);
    if (gone) throw gone;
    // Without a canvas tfjs fails with a ReferenceError; on a software adapter it returns zeros and loses the device.
    if (typeof OffscreenCanvas === 'undefined' || software) {
      throw new EvenkeelError(
        'SYNC_READ',
        'a tensor of the webgpu backend cannot be read synchronously here. Use await t.data() in place of t.dataSync(); ' +
          'before the tensor goes to another backend, too',
        { op: 'dataSync' },
      );
    }
    return readSync(dataId);
  };
}

function wrapDispose(backend: GPUBackend, reports: Reports): void {
  const dispose = (backend as KernelBackend).dispose.bind(backend);
  backend.dispose = () => {
    reports.gone ??= { removed: true, reason: 'removed' };
    dispose();
  };
}

/** Core's `defer`: the backend's next read waits for the check. */
export function defer(backend: GPUBackend, check: Promise<EvenkeelError | undefined>): void {
  awaitCheck(adopt(backend).reports, check);
}
