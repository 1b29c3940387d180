import type { KernelCall, Plugin } from '@evenkeel/core';
import { owner } from './owner.ts';
import { helloNormWasm } from './wasm.ts';
import { helloNormWgsl } from './wgsl.ts';

/** The op that gets other kernels, by its id. */
const RMS_NORM = '@evenkeel/norms/RMSNorm';

// #region override
/** What these kernels cannot do, their package's own still does: also what options ask for that the op gets only later. */
function supports({ inputs, attrs }: KernelCall): string | undefined {
  if (inputs['gamma'] === undefined) return 'this kernel wants a gamma';
  const strange = Object.keys(attrs).find((name) => name !== 'epsilon' && attrs[name] !== 'linear');
  return strange && `this kernel does not know ${strange}`;
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
