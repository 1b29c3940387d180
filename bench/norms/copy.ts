import type { Arm } from '../harness/arm.ts';
import { tfjsDevice } from './tfjs.ts';
import type { BackendName, Case } from './cases.ts';

/** The limit of whatever is bound by memory: a plain copy of x. */
export function copy({ data }: Case, backend: BackendName): Arm {
  if (backend === 'webgpu') return copyOnDevice(data.x.byteLength);
  const target = new Float32Array(data.x.length);
  return { name: 'copy', note: 'dst.set(src)', run: () => target.set(data.x) };
}

function copyOnDevice(size: number): Arm {
  const device = tfjsDevice();
  const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST;
  const source = device.createBuffer({ size, usage });
  const target = device.createBuffer({ size, usage });
  return {
    name: 'copy',
    note: 'copyBufferToBuffer',
    run: () => {
      const encoder = device.createCommandEncoder();
      encoder.copyBufferToBuffer(source, 0, target, 0, size);
      device.queue.submit([encoder.finish()]);
    },
    finish: () => device.queue.onSubmittedWorkDone(),
    dispose: () => {
      source.destroy();
      target.destroy();
    },
  };
}
