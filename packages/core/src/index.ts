export { backend, probeBackends, type BackendChoice, type BackendProbe, type BackendProvider, type KernelRunner } from './backend.ts';
export { compile } from './compile.ts';
export { EvenkeelError, expect, isEvenkeelError, show, type ErrorCode, type ErrorDetails } from './errors.ts';
export type { InputSpec, InputSpecs, Inputs } from './inputs.ts';
export { inspect, resetInspection, type Inspection } from './inspect.ts';
export { sizeOf, wasmKernel, wgslKernel } from './kernel.ts';
export type {
  Attributes,
  DeviceInfo,
  Kernel,
  KernelCall,
  TensorSpec,
  WasmInvocation,
  WasmKernel,
  WasmPlan,
  WgslDispatch,
  WgslKernel,
  WgslPlan,
  WgslShader,
} from './kernel.ts';
export { defineOp, type AnyOp, type Gradients, type Op, type OpDefinition, type OpResult, type OutputSpec } from './op.ts';
export { definePlugin, unregister, use, type KernelReplacement, type Plugin, type PluginList, type SerializableClass } from './plugin.ts';
export { throwIfAborted, type Disposable, type LongRunning, type ProgressEvent } from './progress.ts';
export { raiseIf } from './raise.ts';
export {
  philoxWgsl,
  random,
  RandomBits,
  randomBits,
  RandomNormal,
  randomNormal,
  RandomUniform,
  randomUniform,
  type Random,
  type RandomAttributes,
  type RandomPlace,
  type RandomSource,
} from './random/index.ts';
export { findOp, type CallRecord, type OpTypes, type Owner } from './registry.ts';
export {
  fromTensors,
  readSafetensors,
  toTensors,
  writeSafetensors,
  type FromTensorsOptions,
  type ReadSafetensorsOptions,
  type Safetensors,
  type SafetensorsArrays,
  type SafetensorsDtype,
  type SafetensorsTensor,
} from './safetensors/index.ts';
