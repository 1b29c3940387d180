export function testsOnWebGpu(): string[];
