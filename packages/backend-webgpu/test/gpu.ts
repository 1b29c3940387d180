// A GPU that lacks features which the real one has.

/** The GPU's adapters and devices, without `features`. */
export function limitedGPU(gpu: GPU, features: readonly string[]): GPU {
  const requestAdapter = async (options?: GPURequestAdapterOptions): Promise<GPUAdapter | null> => {
    const adapter = await gpu.requestAdapter(options);
    if (adapter === null) return null;
    const left = new Set([...adapter.features].filter((feature) => !features.includes(feature)));
    return {
      features: left,
      limits: adapter.limits,
      info: adapter.info,
      requestDevice: (descriptor?: GPUDeviceDescriptor) => adapter.requestDevice(descriptor),
    } as unknown as GPUAdapter;
  };
  return { requestAdapter } as unknown as GPU;
}
