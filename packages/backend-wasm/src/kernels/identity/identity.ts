import type { TensorInfo } from '@tensorflow/tfjs-core';
import type { Heap } from '../../tfjs.ts';
import type { Standin } from '../frame.ts';

const isOnHeap = ({ dataId, dtype }: TensorInfo, heap: Heap): boolean =>
  dtype !== 'string' && heap.dataIdMap.get(dataId).memoryOffset !== null;

/** A second name for the same values. */
function again({ dataId, shape, dtype }: TensorInfo, heap: Heap): TensorInfo {
  heap.incRef(dataId);
  return { dataId, shape, dtype };
}

/** tfjs copies on this backend; a tensor's values never change, so a second name for them will do, as on its others. */
export const identity: Standin = {
  name: 'Identity',
  serves: ({ x }, _, heap) => isOnHeap(x!, heap),
  run: ({ x }, _, { heap }) => again(x!, heap),
};

/** Gradients cast what is float32 already. */
export const castToSame: Standin = {
  name: 'Cast',
  serves: ({ x }, { dtype }, heap) => x!.dtype === dtype && isOnHeap(x!, heap),
  run: ({ x }, _, { heap }) => again(x!, heap),
};
