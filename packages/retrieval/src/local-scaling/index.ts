export { localScaling, type LocalScalingOptions } from './local-scaling.ts';
