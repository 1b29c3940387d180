import { wgslKernel, type WgslKernel } from '@evenkeel/core';
import merge from './margin-sums-merge.wgsl.ts';
import marginSums from './margin-sums.wgsl.ts';
import type { MarginSumsOptions } from './solver.ts';

/** Two dispatches, which read the samples once: a part for each block of samples, then the sum of the parts. */
export const marginSumsWgsl = (): WgslKernel<Required<MarginSumsOptions>> =>
  wgslKernel({
    shaders: { marginSums: { code: marginSums }, merge: { code: merge } },
    plan: ({ inputs, attrs: { weights } }) => {
      const [rows, width] = inputs['x']!.shape as [number, number];
      // Enough blocks to keep a GPU busy, few enough that their parts cost little.
      const rowsPerBlock = Math.max(4, Math.ceil(rows / 512));
      const blocks = Math.ceil(rows / rowsPerBlock);
      const misclassified_only = weights === 'misclassified' ? 1 : 0;
      return {
        scratch: { partials: { shape: [blocks, width], dtype: 'float32' }, parts: { shape: [blocks, 4], dtype: 'float32' } },
        dispatches: [
          { shader: 'marginSums', uniforms: { rows, width, rows_per_block: rowsPerBlock, misclassified_only }, workgroups: blocks },
          { shader: 'merge', uniforms: { blocks, width, misclassified_only }, workgroups: Math.ceil(width / 64) },
        ],
      };
    },
  });
