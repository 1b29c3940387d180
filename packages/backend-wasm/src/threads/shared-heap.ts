import { shareOwnMemory } from '../binary.ts';

/**
 * Runs `start` so that the heap of the 'wasm' backend it starts can be shared with workers. tfjs' plain build is used, with one change: its
 * memory section says so. (Its threaded build wants files on disk and a pool of its own.) In a cross-origin isolated page tfjs' heap is
 * shared already, and nothing is changed.
 */
export async function withSharedHeap<T>(start: () => Promise<T>): Promise<T> {
  if (typeof SharedArrayBuffer === 'undefined' || (globalThis as { crossOriginIsolated?: boolean }).crossOriginIsolated === true)
    return start();
  const { instantiate } = WebAssembly;
  const patched = (source: BufferSource | WebAssembly.Module, imports?: WebAssembly.Imports): Promise<unknown> => {
    if (source instanceof WebAssembly.Module) return instantiate(source, imports);
    const bytes = ArrayBuffer.isView(source) ? new Uint8Array(source.buffer, source.byteOffset, source.byteLength) : new Uint8Array(source);
    return instantiate(shareOwnMemory(bytes) ?? bytes, imports);
  };
  WebAssembly.instantiate = patched as typeof WebAssembly.instantiate;
  try {
    return await start();
  } finally {
    WebAssembly.instantiate = instantiate;
  }
}
