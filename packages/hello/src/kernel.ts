import type { Plugin } from '@evenkeel/core';
import { owner } from './owner.ts';
import { helloNormWasm } from './wasm.ts';
import { helloNormWgsl } from './wgsl.ts';

/** The op that gets other kernels, by its id. */
const RMS_NORM = '@evenkeel/norms/RMSNorm';

// #region override
/** What these kernels cannot do, their package's own still does. */
function supports({ inputs }: { inputs: Readonly<Record<string, unknown>> }): string | undefined {
  return inputs['gamma'] === undefined ? 'this kernel wants a gamma' : undefined;
}

/** Kernels for somebody else's op: after `use(helloKernels)` they serve it, after `unregister(helloKernels)` its own do again. */
export const helloKernels: Plugin = {
  ...owner,
  // #region beside-the-plugin
  name: `${owner.name}/kernel`,
  // #endregion beside-the-plugin
  kernels: [
    { op: RMS_NORM, kernel: { ...helloNormWasm(), supports } },
    { op: RMS_NORM, kernel: { ...helloNormWgsl(), supports } },
  ],
};
// #endregion override
