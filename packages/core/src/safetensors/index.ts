export type { SafetensorsArrays, SafetensorsDtype, SafetensorsTensor } from './dtypes.ts';
export { readSafetensors, type ReadSafetensorsOptions, type Safetensors } from './read.ts';
export { fromTensors, toTensors, type FromTensorsOptions } from './tensors.ts';
export { writeSafetensors } from './write.ts';
