export { batches, type Batch, type BatchOptions } from './batches.ts';
export { parseIdx, type Idx, type IdxArray, type IdxDtype } from './idx/idx.ts';
export type { LabelledImages } from './images.ts';
