export function bundle(
  folder: string,
  code: string,
  options?: { external?: string[]; platform?: string },
): Promise<{ text: string; gzip: number }>;
export function staticImports(folder: string, entry: string, external: string[]): Promise<string[]>;
export function ownSize(folder: string, entry: string, external: string[]): Promise<number>;
export function checkContents(
  folder: string,
  contents: { code: string; present?: string[]; absent?: string[] },
  external: string[],
): Promise<void>;
export function checkTreeShaking(folder: string, entry: string, external: string[]): Promise<void>;
