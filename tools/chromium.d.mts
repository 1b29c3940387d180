export const chromium: string | undefined;
export const chromiumArguments: string[];
export const swiftShader: string | undefined;
