import { kernels } from '@evenkeel/kernel-build/plugin';
import { defineConfig } from 'tsdown';

export default defineConfig({
  entry: ['src/{index,op,layer,optimizer,plugin,checks}.ts'],
  format: 'esm',
  platform: 'neutral',
  target: 'es2022',
  dts: true,
  fixedExtension: false,
  plugins: [kernels({ version: 'src/version.ts' })],
});
