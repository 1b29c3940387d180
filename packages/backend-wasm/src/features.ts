// What this engine's WebAssembly can do, asked by validating modules of a few bytes.

/** One function of type () -> v128 with this body. */
function validates(...body: number[]): boolean {
  if (typeof WebAssembly !== 'object') return false;
  const header = [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00];
  const types = [0x01, 0x05, 0x01, 0x60, 0x00, 0x01, 0x7b];
  const functions = [0x03, 0x02, 0x01, 0x00];
  const code = [0x0a, body.length + 4, 0x01, body.length + 2, 0x00, ...body, 0x0b];
  return WebAssembly.validate(Uint8Array.from([...header, ...types, ...functions, ...code]));
}

const I32_CONST = 0x41;
const SIMD = 0xfd;
const I8X16_SPLAT = 0x0f;

export interface WasmFeatures {
  /** 128-bit vectors: what the kernels are written in. */
  readonly simd: boolean;
  /** Fused multiply-add and others; information only. */
  readonly relaxedSimd: boolean;
  /** Memory that Workers can share: not in Node, where tfjs does not use it, and only in cross-origin isolated pages. */
  readonly threads: boolean;
}

/** What the engine that runs this can do. */
export function wasmFeatures(): WasmFeatures {
  return {
    simd: validates(I32_CONST, 0, SIMD, I8X16_SPLAT),
    relaxedSimd: validates(I32_CONST, 0, SIMD, I8X16_SPLAT, I32_CONST, 0, SIMD, I8X16_SPLAT, SIMD, 0x80, 0x02),
    threads: (globalThis as { crossOriginIsolated?: boolean }).crossOriginIsolated === true,
  };
}
