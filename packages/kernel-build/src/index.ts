export { buildKernels, type KernelBuildOptions, type KernelBuildResult } from './build.ts';
export { compileKernel } from './compile.ts';
export { KernelBuildError } from './error.ts';
