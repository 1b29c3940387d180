export { instanceNorm, type InstanceNormOptions } from './op.ts';
