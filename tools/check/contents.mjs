// What must not be in a bundle that never uses it. `present` shows that the search would find such a name.

/** The main function of each norm, and its op: what a bundle that uses one of them may have. */
const norms = {
  batchChannelNorm: 'BatchChannelNorm',
  batchNorm: 'BatchNorm',
  conditionalLayerNorm: 'ConditionalNorm',
  crmsNorm: 'CRMSNorm',
  evoNormB0: 'EvoNormB',
  evoNormS0: 'EvoNormS',
  groupNorm: 'GroupNorm',
  l1BatchNorm: 'L1BatchNorm',
  l1LayerNorm: 'L1LayerNorm',
  layerNorm: 'LayerNorm',
  powerNorm: 'PowerNorm',
  regionNormalize: 'RegionNorm',
  rmsNorm: 'RMSNorm',
  unifiedNorm: 'UnifiedWindow',
  unMixTNS: 'UnMixNorm',
  weightStandardize: 'WeightStandardization',
};

/** Its mode 'batch' is the one, then the other. */
const parts = { batchChannelNorm: ['BatchNorm', 'GroupNorm'] };

/** Names as strings of their own: 'L1LayerNorm' is not 'LayerNorm'. */
const quoted = (name) => `"${name}"`;

/** Of testing, of the layers, of reading and writing files: nothing of it belongs into a program that calls an op. */
const machinery = ['opcheck', 'fast-check', 'registerClass', 'tfjs-layers', 'safetensors'];

export const contents = [
  ...Object.entries(norms).map(([name, op]) => ({
    code: `export { ${name} } from '@evenkeel/norms'`,
    present: [quoted(op)],
    absent: [
      ...Object.values(norms)
        .filter((other) => other !== op && !parts[name]?.includes(other))
        .map(quoted),
      ...machinery,
    ],
  })),
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
    code: "export { SGDP } from '@evenkeel/optim'",
    present: [quoted('SGDPStep')],
    absent: ['AdamPStep', 'LionStep', 'MarginSums', 'Compander', ...machinery].map((name) =>
      machinery.includes(name) ? name : quoted(name),
    ),
  },
  {
    code: "export { csls } from '@evenkeel/retrieval'",
    present: ['csls'],
    absent: ['SimilarityTopK', 'SimilarityLogSum', 'HubnessCorrectedIndex', ...machinery],
  },
];
