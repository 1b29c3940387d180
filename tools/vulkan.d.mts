export function useSwiftShader(): void;
