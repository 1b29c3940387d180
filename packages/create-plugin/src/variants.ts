/** What a plugin begins with. */
export const variants = {
  op: 'an op with its gradient, kernels for WASM and WebGPU, and a layer',
  layer: 'a layer, and an op without kernels',
  optimizer: 'an optimizer',
  kernel: 'kernels for an op of another package',
} as const;

export type Variant = keyof typeof variants;

export function isVariant(name: string): name is Variant {
  return Object.hasOwn(variants, name);
}
