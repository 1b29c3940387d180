import { kernels } from '@evenkeel/kernel-build/plugin';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  plugins: [kernels({ version: 'src/version.ts' })],
  test: {
    include: ['src/**/*.test.ts'],
    benchmark: { include: ['test/**/*.bench.ts'] },
    // WebGPU in Node needs a process of its own.
    pool: 'forks',
    testTimeout: 60_000,
  },
});
