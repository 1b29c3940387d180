import type { Tensor, TensorInfo } from '@tensorflow/tfjs-core';
import { EvenkeelError, sizeOf, type Kernel, type KernelCall, type KernelRunner, type WgslDispatch, type WgslKernel } from '@evenkeel/core';
import { adopt, defer, type Adoption } from './adopt.ts';
import { count } from './counters.ts';
import { awaitCheck, goneError } from './errors.ts';
import { compileKernel, diagnose, knownPipeline, makePipeline, missingFeatures, type Pipeline } from './pipeline.ts';
import { packUniforms } from './shader.ts';
import { bufferOf, flush, isGPUBackend, record, runningBackend, storedAsDeclared, uniformBuffer, type GPUBackend } from './tfjs.ts';

/** Spreads workgroups over x and y, nearly square: one full row and a short one would idle up to half of them. */
export function spread(op: string, workgroups: WgslDispatch['workgroups'], limit: number): [number, number, number] {
  const [x, y, z = 1] = typeof workgroups === 'number' ? grid(workgroups, limit) : workgroups;
  if (x > limit || y > limit || z > limit) {
    throw new EvenkeelError('KERNEL', `the plan wants ${x} x ${y} x ${z} workgroups, expected at most ${limit} in each dimension`, { op });
  }
  return [x, y, z];
}

function grid(workgroups: number, limit: number): [number, number] {
  if (workgroups <= limit) return [workgroups, 1];
  const x = Math.ceil(Math.sqrt(workgroups));
  return [x, Math.ceil(workgroups / x)];
}

/** The tensors of a call that a shader's variables may name. */
interface Operands {
  readonly inputs: Readonly<Record<string, TensorInfo>>;
  readonly written: Readonly<Record<string, TensorInfo>>;
  readonly buffers: ReadonlyMap<TensorInfo, GPUBuffer>;
}

function bindGroup(backend: GPUBackend, op: string, pipeline: Pipeline, dispatch: WgslDispatch, operands: Operands): GPUBindGroup {
  const { text, shader } = pipeline;
  let bytesRead = 0;
  let bytesWritten = 0;
  const entries = text.bindings.map(({ name, binding, kind }): GPUBindGroupEntry => {
    if (kind === 'uniform') {
      return { binding, resource: { buffer: uniformBuffer(backend, packUniforms(op, shader, text.uniforms, dispatch.uniforms)) } };
    }
    const tensor = kind === 'read' ? (operands.inputs[name] ?? operands.written[name]) : operands.written[name];
    if (tensor !== undefined) {
      const buffer = operands.buffers.get(tensor)!;
      if (kind === 'read') bytesRead += buffer.size;
      else bytesWritten += buffer.size;
      return { binding, resource: { buffer } };
    }
    // An absent input: any buffer that nobody writes will do.
    const [standIn] = Object.values(operands.inputs);
    if (kind === 'read_write' || standIn === undefined) {
      const known = Object.keys(operands.written).join(', ');
      throw new EvenkeelError('KERNEL', `shader ${shader} writes ${name}, which is neither an output nor scratch; expected ${known}`, {
        op,
        argument: name,
      });
    }
    return { binding, resource: { buffer: operands.buffers.get(standIn)! } };
  });
  if (dispatch.uniforms !== undefined && !text.bindings.some(({ kind }) => kind === 'uniform')) {
    packUniforms(op, shader, [], dispatch.uniforms);
  }
  count(bytesRead, bytesWritten);
  return backend.device.createBindGroup({ label: `${op}/${shader}`, layout: pipeline.layout, entries });
}

function run(op: string, kernel: WgslKernel, given: Record<string, Tensor>, call: KernelCall, adoption: Adoption): TensorInfo[] {
  const { backend, info, reports } = adoption;
  const gone = goneError(reports, op);
  if (gone) throw gone;
  const plan = kernel.plan(call, info);
  const known = plan.dispatches.map((dispatch) => knownPipeline(adoption, kernel, dispatch));
  for (const pipeline of known) if (pipeline && pipeline.state instanceof Error) throw pipeline.state;

  const made: TensorInfo[] = [];
  const allocate = (specs: Readonly<Record<string, { shape: readonly number[]; dtype: TensorInfo['dtype'] }>>) =>
    Object.fromEntries(
      Object.entries(specs).map(([name, { shape, dtype }]) => {
        const tensor = backend.makeTensorInfo([...shape], dtype);
        made.push(tensor);
        return [name, tensor];
      }),
    );
  const converted: TensorInfo[] = [];
  try {
    const inputs: Record<string, TensorInfo> = {};
    for (const [name, tensor] of Object.entries(given)) {
      inputs[name] = storedAsDeclared(backend, tensor);
      if (inputs[name] !== tensor) converted.push(inputs[name]);
    }
    const outputs = allocate(call.outputs);
    const scratch = allocate(plan.scratch ?? {});
    const tensors: TensorInfo[] = [...Object.values(inputs), ...made];
    const buffers = new Map(tensors.map((tensor) => [tensor, bufferOf(backend, tensor)]));
    const operands = { inputs, written: { ...outputs, ...scratch }, buffers };
    const limit = info.limits['maxComputeWorkgroupsPerDimension']!;
    const submit = (pipelines: readonly Pipeline[], alone: boolean): void => {
      // What can throw comes before the first command.
      const commands = plan.dispatches.map((dispatch, at) => ({
        pipeline: pipelines[at]!.pipeline,
        group: bindGroup(backend, op, pipelines[at]!, dispatch, operands),
        workgroups: spread(op, dispatch.workgroups, limit),
      }));
      record(backend, op, tensors, commands, alone);
    };
    if (known.every((pipeline) => pipeline?.state === 'valid')) submit(known as Pipeline[], false);
    else {
      const check = guarded(adoption, op, () => {
        const pipelines = plan.dispatches.map((each) => knownPipeline(adoption, kernel, each) ?? makePipeline(adoption, op, kernel, each));
        submit(pipelines, true);
        return pipelines;
      });
      const results = Object.values(outputs);
      awaitCheck(
        reports,
        check.then((error) => {
          if (error) for (const { dataId } of results) reports.poisoned.set(dataId, error);
          return error;
        }),
      );
    }
    // tfjs keeps the memory until the commands have been submitted.
    for (const { dataId } of [...Object.values(scratch), ...converted]) backend.disposeData(dataId);
    return Object.values(outputs);
  } catch (error) {
    for (const { dataId } of [...made, ...converted]) backend.disposeData(dataId);
    throw error;
  }
}

/**
 * Submits commands in a buffer of their own, within an error scope: if one of their pipelines is invalid, nobody else's commands are void.
 * Returns at once; the promise tells the error later, and marks the pipelines as valid or not.
 */
function guarded({ backend }: Adoption, op: string, submit: () => Pipeline[]): Promise<EvenkeelError | undefined> {
  const { device } = backend;
  flush(backend);
  device.pushErrorScope('validation');
  let pipelines: Pipeline[];
  let scope: Promise<GPUError | null>;
  try {
    pipelines = submit();
  } finally {
    // No await between push and pop: others use the same stack.
    scope = device.popErrorScope();
  }
  return scope.then(async (failure) => {
    const unchecked = pipelines.filter(({ state }) => state === 'unchecked');
    if (failure === null) {
      for (const pipeline of unchecked) pipeline.state = 'valid';
      return undefined;
    }
    const diagnoses = await Promise.all(unchecked.map(({ shader, module }) => diagnose(op, shader, module, failure.message)));
    for (const [at, pipeline] of unchecked.entries()) if (pipeline.state === 'unchecked') pipeline.state = diagnoses[at]!;
    const known = pipelines.map(({ state }) => state).find((state) => state instanceof Error);
    return (known as EvenkeelError | undefined) ?? new EvenkeelError('WGSL', failure.message, { op });
  });
}

function refusal(kernel: WgslKernel, call: KernelCall, adoption: Adoption): string | undefined {
  const shaders = Object.keys(kernel.shaders);
  const lacking = shaders.map((shader) => missingFeatures(adoption, kernel, shader));
  if (lacking.length > 0 && lacking.every((missing) => missing.length > 0)) return `the device has no ${lacking[0]!.join(', ')}`;
  const limit = adoption.info.limits['maxStorageBufferBindingSize']!;
  for (const [name, spec] of [...Object.entries(call.inputs), ...Object.entries(call.outputs)]) {
    const bytes = spec === undefined ? 0 : 4 * sizeOf(spec.shape);
    if (bytes > limit) return `${name} has ${bytes} bytes, and the device binds no more than ${limit}`;
  }
  return kernel.supports?.(call, adoption.info);
}

function requireRunning(op: string): GPUBackend {
  const backend = runningBackend();
  if (backend) return backend;
  throw new EvenkeelError('BACKEND_UNAVAILABLE', "the 'webgpu' backend is not running; await backend('webgpu') first", { op });
}

/** Runs {@link WgslKernel}s on tfjs' 'webgpu' device, in order with tfjs' own ops. */
export const webgpuRunner: KernelRunner = {
  backend: 'webgpu',
  kind: 'wgsl',
  refuses: (kernel: Kernel, call, backend) =>
    isGPUBackend(backend)
      ? refusal(kernel as WgslKernel, call, adopt(backend))
      : "the running 'webgpu' backend is not of @tensorflow/tfjs-backend-webgpu ^4.22.0",
  run: (op, kernel, inputs, call, backend) => run(op, kernel as WgslKernel, inputs, call, adopt(backend as GPUBackend)),
  compile: (op, kernel) => Promise.resolve().then(() => compileKernel(adopt(requireRunning(op)), op, kernel as WgslKernel)),
  defer: (check) => defer(requireRunning('raiseIf'), check),
};
