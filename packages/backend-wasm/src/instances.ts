import { EvenkeelError, type WasmKernel } from '@evenkeel/core';
import { findMemoryImport, fromBase64, shareMemory } from './binary.ts';

export type Exports = Readonly<Record<string, WebAssembly.ExportValue>>;

interface Modules {
  plain?: WebAssembly.Module;
  shared?: WebAssembly.Module;
}

/** By binary: the kernels of one source file are one module. */
const modules = new Map<string, Modules>();
/** A backend that is removed and made anew has a new memory. */
const instances = new WeakMap<WebAssembly.Memory, Map<string, Exports>>();

/** A binary in the form that its instances are kept by. */
export function moduleOf(binary: string): WasmKernel {
  return { kind: 'wasm', binary, plan: () => ({ calls: [] }) };
}

/** Compiles a kernel for the plain memory or the shared one. Throws KERNEL where the binary is broken or may not share a heap. */
export function compileModule(op: string, { binary }: WasmKernel, shared: boolean): WebAssembly.Module {
  let entry = modules.get(binary);
  if (entry === undefined) modules.set(binary, (entry = {}));
  try {
    if (shared) return (entry.shared ??= new WebAssembly.Module(shareMemory(fromBase64(binary))));
    if (entry.plain === undefined) {
      const bytes = fromBase64(binary);
      findMemoryImport(bytes);
      entry.plain = new WebAssembly.Module(bytes);
    }
    return entry.plain;
  } catch (error) {
    modules.delete(binary);
    throw new EvenkeelError('KERNEL', `the WASM module is refused: ${(error as Error).message}`, { op, cause: error });
  }
}

/** The exports of a kernel's module, linked to this memory. */
export function exportsOf(op: string, kernel: WasmKernel, memory: WebAssembly.Memory): Exports {
  let linked = instances.get(memory);
  if (linked === undefined) instances.set(memory, (linked = new Map()));
  let exports = linked.get(kernel.binary);
  if (exports === undefined) {
    const shared = typeof SharedArrayBuffer === 'function' && memory.buffer instanceof SharedArrayBuffer;
    exports = new WebAssembly.Instance(compileModule(op, kernel, shared), { env: { memory } }).exports;
    linked.set(kernel.binary, exports);
  }
  return exports;
}

const scalar = new Map<string, boolean>();

/** Whether the engine takes the binary as it is: without SIMD, only what uses none. */
export function isSupported({ binary }: WasmKernel): boolean {
  let valid = scalar.get(binary);
  if (valid === undefined) scalar.set(binary, (valid = WebAssembly.validate(fromBase64(binary))));
  return valid;
}
