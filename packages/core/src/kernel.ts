import type { DataType } from '@tensorflow/tfjs-core';

/** Shape and dtype of a tensor, without its values. */
export interface TensorSpec {
  readonly shape: readonly number[];
  readonly dtype: DataType;
}

/** Attribute values as tfjs keeps them on its tape: plain data. */
export type Attributes = Record<string, unknown>;

/** One call of an op, as a kernel sees it when it decides and plans: shapes and attributes, no values. */
export interface KernelCall<A = Attributes> {
  /** An optional input that the caller left out is undefined. */
  readonly inputs: Readonly<Record<string, TensorSpec | undefined>>;
  readonly outputs: Readonly<Record<string, TensorSpec>>;
  readonly attrs: Readonly<A>;
}

/** What a WGSL kernel may know of the device it is planned for. */
export interface DeviceInfo {
  /** WebGPU features that the device was made with, such as `subgroups`. */
  readonly features: ReadonlySet<string>;
  readonly limits: Readonly<Record<string, number>>;
  /** Bounds of the subgroup size; 0 without subgroups. */
  readonly subgroupMinSize: number;
  readonly subgroupMaxSize: number;
}

/**
 * A kernel for the tfjs 'wasm' heap: a WASM binary and, for each call, the exports to run and their arguments.
 *
 * The binary imports its memory as `env.memory`, has no data segment, no start function, and does not grow memory.
 */
export interface WasmKernel<A = Attributes> {
  readonly kind: 'wasm';
  /** The binary in base64, as the kernel build writes it. */
  readonly binary: string;
  /** Why this kernel cannot serve the call, or undefined if it can. */
  supports?(call: KernelCall<A>): string | undefined;
  plan(call: KernelCall<A>): WasmPlan;
}

export interface WasmPlan {
  /** Scratch memory by name, in bytes: uninitialised, alive for this call. */
  readonly scratch?: Readonly<Record<string, number>>;
  readonly calls: readonly WasmInvocation[];
}

export interface WasmInvocation {
  readonly export: string;
  /** A string is the address of the input, output or scratch of that name (0 for an absent input); a number is itself. */
  readonly args: readonly (string | number)[];
}

/** WGSL text and the device features it needs (each with its `enable` directive in the text). */
export interface WgslShader {
  readonly code: string;
  readonly requires?: readonly string[];
}

/**
 * A kernel for the tfjs 'webgpu' device: shaders, and for each call the dispatches.
 *
 * Shaders declare their bindings themselves, in group 0: `var<storage, read> x: array<f32>` binds the input named `x`,
 * `var<storage, read_write>` an output or scratch buffer, `var<uniform> params: Params` the dispatch's uniforms. `Params` is a struct of
 * f32, i32 and u32 scalars. An absent optional input's variable is bound to some other input: say by a uniform or constant not to read it.
 */
export interface WgslKernel<A = Attributes> {
  readonly kind: 'wgsl';
  readonly shaders: Readonly<Record<string, WgslShader>>;
  /** Why this kernel cannot serve the call, or undefined if it can. */
  supports?(call: KernelCall<A>, device: DeviceInfo): string | undefined;
  plan(call: KernelCall<A>, device: DeviceInfo): WgslPlan;
}

export interface WgslPlan {
  /** Scratch buffers by name: uninitialised, alive for this call. */
  readonly scratch?: Readonly<Record<string, TensorSpec>>;
  readonly dispatches: readonly WgslDispatch[];
}

export interface WgslDispatch {
  /** Key into the kernel's `shaders`. */
  readonly shader: string;
  /** Default `main`. */
  readonly entryPoint?: string;
  /** Values of the fields of the uniform struct, by name. */
  readonly uniforms?: Readonly<Record<string, number>>;
  /** Values of the shader's `override` constants. */
  readonly constants?: Readonly<Record<string, number>>;
  /**
   * How many workgroups. A number beyond one dimension's limit is spread over x and y: the shader computes
   * `w.x + w.y * num_workgroups.x` and guards against the excess.
   */
  readonly workgroups: number | readonly [x: number, y: number, z?: number];
}

export type Kernel<A = Attributes> = WasmKernel<A> | WgslKernel<A>;

/** Describes a WASM kernel: see {@link WasmKernel}. */
export function wasmKernel<A = Attributes>(kernel: Omit<WasmKernel<A>, 'kind'>): WasmKernel<A> {
  return { kind: 'wasm', ...kernel };
}

/** Describes a WGSL kernel: see {@link WgslKernel}. */
export function wgslKernel<A = Attributes>(kernel: Omit<WgslKernel<A>, 'kind'>): WgslKernel<A> {
  return { kind: 'wgsl', ...kernel };
}

/** Number of elements of a shape. */
export function sizeOf(shape: readonly number[]): number {
  let size = 1;
  for (const length of shape) size *= length;
  return size;
}
