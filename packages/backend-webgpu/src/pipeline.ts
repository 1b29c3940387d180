import { EvenkeelError, type WgslDispatch, type WgslKernel } from '@evenkeel/core';
import type { Adoption } from './adopt.ts';
import { readShader, type Binding, type ShaderText } from './shader.ts';

/** A compiled entry point of a shader. */
export interface Pipeline {
  readonly shader: string;
  readonly text: ShaderText;
  readonly module: GPUShaderModule;
  readonly layout: GPUBindGroupLayout;
  readonly pipeline: GPUComputePipeline;
  /** WebGPU says later whether a pipeline is any good. Until then it must not share a command buffer with others, which it would void. */
  state: 'unchecked' | 'valid' | EvenkeelError;
}

type Wanted = Pick<WgslDispatch, 'shader' | 'entryPoint' | 'constants'>;

const BUFFER_TYPES: Record<Binding['kind'], GPUBufferBindingType> = {
  read: 'read-only-storage',
  read_write: 'storage',
  uniform: 'uniform',
};

function keyOf({ shader, entryPoint = 'main', constants }: Wanted): string {
  return `${shader}|${entryPoint}|${constants === undefined ? '' : JSON.stringify(constants)}`;
}

/** The features that the device lacks for a shader. */
export function missingFeatures({ info }: Adoption, kernel: WgslKernel, shader: string): string[] {
  return (kernel.shaders[shader]?.requires ?? []).filter((feature) => !info.features.has(feature));
}

function kept({ pipelines }: Adoption, kernel: WgslKernel): Map<string, Pipeline> {
  let known = pipelines.get(kernel);
  if (known === undefined) pipelines.set(kernel, (known = new Map()));
  return known;
}

/** The pipeline, if it has been made. */
export function knownPipeline(adoption: Adoption, kernel: WgslKernel, wanted: Wanted): Pipeline | undefined {
  return kept(adoption, kernel).get(keyOf(wanted));
}

/** What a pipeline is made of. Call it within an error scope. */
function parts(adoption: Adoption, op: string, kernel: WgslKernel, { shader, entryPoint = 'main', constants }: Wanted) {
  const source = kernel.shaders[shader];
  if (source === undefined) {
    throw new EvenkeelError('KERNEL', `the plan names shader ${shader}, expected one of ${Object.keys(kernel.shaders).join(', ')}`, { op });
  }
  const missing = missingFeatures(adoption, kernel, shader);
  if (missing.length > 0) {
    throw new EvenkeelError('KERNEL', `shader ${shader} needs ${missing.join(', ')}, which the device does not have`, { op });
  }
  const { device } = adoption.backend;
  const text = readShader(op, shader, source.code);
  const module = device.createShaderModule({ label: `${op}/${shader}`, code: source.code });
  // Explicit: 'auto' would drop the bindings that an entry point does not use, and the same entries then fail.
  const layout = device.createBindGroupLayout({
    label: `${op}/${shader}`,
    entries: text.bindings.map(({ binding, kind }) => ({
      binding,
      visibility: GPUShaderStage.COMPUTE,
      buffer: { type: BUFFER_TYPES[kind] },
    })),
  });
  const descriptor: GPUComputePipelineDescriptor = {
    label: `${op}/${shader}`,
    layout: device.createPipelineLayout({ bindGroupLayouts: [layout] }),
    compute: { module, entryPoint, ...(constants && { constants }) },
  };
  return { shader, text, module, layout, descriptor };
}

/** Makes a pipeline, unchecked. Call it within an error scope. */
export function makePipeline(adoption: Adoption, op: string, kernel: WgslKernel, wanted: Wanted): Pipeline {
  const { descriptor, ...rest } = parts(adoption, op, kernel, wanted);
  const pipeline: Pipeline = { ...rest, pipeline: adoption.backend.device.createComputePipeline(descriptor), state: 'unchecked' };
  kept(adoption, kernel).set(keyOf(wanted), pipeline);
  return pipeline;
}

/** What the compiler says of a shader, or, where it has no objection, `otherwise`. */
export async function diagnose(op: string, shader: string, module: GPUShaderModule, otherwise: string): Promise<EvenkeelError> {
  const { messages } = await module.getCompilationInfo();
  const errors = messages.filter(({ type }) => type === 'error');
  const text = errors.map(({ lineNum, linePos, message }) => `line ${lineNum}:${linePos}: ${message}`).join('; ');
  return new EvenkeelError('WGSL', text === '' ? `shader ${shader}: ${otherwise}` : `${text} (shader ${shader})`, { op });
}

/** Compiles all shaders of a kernel that the device has the features for, at the same time; rejects with what the compiler says. */
export async function compileKernel(adoption: Adoption, op: string, kernel: WgslKernel): Promise<void> {
  const shaders = Object.keys(kernel.shaders).filter((shader) => missingFeatures(adoption, kernel, shader).length === 0);
  await allOf(shaders.map((shader) => compileShader(adoption, op, kernel, shader)));
}

async function compileShader(adoption: Adoption, op: string, kernel: WgslKernel, shader: string): Promise<void> {
  const { entryPoints, required } = readShader(op, shader, kernel.shaders[shader]!.code);
  if (entryPoints.length === 0) throw new EvenkeelError('WGSL', `shader ${shader} has no @compute entry point`, { op });
  // Constants without a value of their own come with the plan; any value shows whether the rest is right.
  const constants = required.length === 0 ? undefined : Object.fromEntries(required.map((name) => [name, 1]));
  await allOf(
    entryPoints.map((entryPoint) => compileEntryPoint(adoption, op, kernel, { shader, entryPoint, ...(constants && { constants }) })),
  );
}

/** Waits for all, and rejects as the first in order does, not the first in time: so that errors repeat. */
async function allOf(work: readonly Promise<void>[]): Promise<void> {
  for (const result of await Promise.allSettled(work)) if (result.status === 'rejected') throw result.reason;
}

async function compileEntryPoint(adoption: Adoption, op: string, kernel: WgslKernel, wanted: Wanted): Promise<void> {
  const { device } = adoption.backend;
  const known = knownPipeline(adoption, kernel, wanted);
  if (known?.state === 'valid') return;
  if (known !== undefined && known.state !== 'unchecked') throw known.state;
  device.pushErrorScope('validation');
  let made;
  let compiling;
  try {
    made = parts(adoption, op, kernel, wanted);
    compiling = device.createComputePipelineAsync(made.descriptor);
    compiling.catch(() => undefined);
  } finally {
    void device.popErrorScope();
  }
  const { descriptor: _, ...rest } = made;
  try {
    kept(adoption, kernel).set(keyOf(wanted), { ...rest, pipeline: await compiling, state: 'valid' });
  } catch (cause) {
    throw await diagnose(op, wanted.shader, made.module, (cause as Error).message);
  }
}
