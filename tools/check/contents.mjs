// What must not be in a bundle that never uses it. `present` shows that the search would find such a name.

const otherNorms = (...used) =>
  ['LayerNorm', 'RMSNorm', 'GroupNorm', 'BatchNorm', 'InstanceNorm', 'L1LayerNorm', 'L1BatchNorm', 'CRMSNorm', 'ConditionalNorm'].filter(
    (name) => !used.includes(name),
  );

/** Of testing, of the layers, of reading and writing files: nothing of it belongs into a program that calls an op. */
const machinery = ['opcheck', 'fast-check', 'registerClass', 'tfjs-layers', 'safetensors'];

export const contents = [
  { code: "export { rmsNorm } from '@evenkeel/norms'", present: ['RMSNorm'], absent: [...otherNorms('RMSNorm'), ...machinery] },
  { code: "export { layerNorm } from '@evenkeel/norms'", present: ['LayerNorm'], absent: [...otherNorms('LayerNorm'), ...machinery] },
  { code: "export { groupNorm } from '@evenkeel/norms'", present: ['GroupNorm'], absent: [...otherNorms('GroupNorm'), ...machinery] },
  { code: "export { batchNorm } from '@evenkeel/norms'", present: ['BatchNorm'], absent: [...otherNorms('BatchNorm'), ...machinery] },
  {
    code: "export { defineOp, use, backend, inspect } from '@evenkeel/core'",
    present: ['@evenkeel/core/1'],
    absent: ['opcheck', 'fast-check', 'safetensors', 'RandomBits', 'philox'],
  },
  {
    code: "export { wasm } from '@evenkeel/backend-wasm'; export { layerNorm } from '@evenkeel/norms'",
    present: ['WebAssembly', 'LayerNorm'],
    absent: ['WGSL_', 'createShaderModule', 'requestAdapter'],
  },
  {
    code: "export { webgpu } from '@evenkeel/backend-webgpu'",
    present: ['createShaderModule'],
    absent: ['LayerNorm', 'tfjs-backend-wasm'],
  },
  {
    code: "export { csls } from '@evenkeel/retrieval'",
    present: ['csls'],
    absent: ['SimilarityTopK', 'SimilarityLogSum', 'HubnessCorrectedIndex', ...machinery],
  },
];
