export { RandomBits, RandomNormal, RandomUniform, type RandomAttributes } from './op.ts';
export { default as philoxWgsl } from './philox.wgsl.ts';
export { random, type Random, type RandomPlace } from './random.ts';
export { randomBits, randomNormal, randomUniform, type RandomSource } from './tensors.ts';
