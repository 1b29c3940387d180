import { basename } from 'node:path';
import { buildKernels, isKernelSource, kernelSources, wgslModule, type KernelBuildOptions } from './build.ts';

/** A plugin as Rollup, Rolldown, tsdown, Vite and Vitest understand it. */
export interface KernelsPlugin {
  readonly name: string;
  readonly enforce: 'pre';
  buildStart(this: { addWatchFile(id: string): void }): Promise<void>;
  watchChange(id: string): Promise<void>;
  load(id: string): string | undefined;
}

/**
 * The kernel build as a plugin for Vite, Vitest, Rollup, Rolldown and tsdown: kernels are built when the bundler starts, and again when one
 * of them, or what it imports, changes. An import of a `.wgsl` file gives its text.
 *
 * @example
 * // vite.config.ts
 * export default { plugins: [kernels({ version: 'src/version.ts' })] };
 */
export function kernels(options: KernelBuildOptions = {}): KernelsPlugin {
  return {
    name: 'evenkeel-kernels',
    enforce: 'pre',
    async buildStart() {
      await buildKernels(options);
      for (const file of kernelSources(options)) this.addWatchFile(file);
    },
    // What it writes are modules that the bundler watches by itself.
    async watchChange(id) {
      if (isKernelSource(basename(id))) await buildKernels(options);
    },
    load(id) {
      return id.endsWith('.wgsl') ? wgslModule(id) : undefined;
    },
  };
}
